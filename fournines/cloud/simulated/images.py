"""
Images of the simulated cloud: made of instances, described, deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fournines.cloud.errors import NameTaken, ResourceFailed, ResourceMissing
from fournines.cloud.simulated import reading
from fournines.cloud.simulated.door import Door, Moment, named, ours
from fournines.cloud.simulated.faults import FaultKind
from fournines.cloud.simulated.records import ImageRecord
from fournines.model.inventory import Image
from fournines.model.ownership import IMAGE_MARK
from fournines.model.specification import ImageSpec


class Images(Door):
    """
    The part of the cloud that is Glance.
    """

    def images(self) -> tuple[Image, ...]:
        def act(_moment: Moment) -> tuple[Image, ...]:
            return tuple(reading.image(one) for one in self.world.images.values())

        return self.call("images", "", act)

    def images_in_use(self) -> frozenset[str]:
        def act(_moment: Moment) -> frozenset[str]:
            names = {one.spec.image for one in self.world.instances.values()}
            known = self.world.images
            return frozenset(known[name].id for name in names if name in known)

        return self.call("images_in_use", "", act)

    def ensure_image(self, spec: ImageSpec, *, deadline_seconds: float) -> Image:
        deadline = self.deadline(deadline_seconds)
        attempted = f"making image {spec.name}"

        def act(moment: Moment) -> None:
            present = self._marked(spec.name, attempted)
            if present is None:
                self._create(spec, moment, attempted)

        def arrived() -> Image | None:
            record = self.world.images.get(spec.name)
            if record is None:
                raise ResourceFailed(attempted, "the cloud gave it up")
            if record.status == "killed":
                del self.world.images[spec.name]
                raise ResourceFailed(attempted, "it went to killed")
            return reading.image(record) if record.status == "active" else None

        self.call("ensure_image", spec.name, act)
        return self.wait(attempted, deadline, arrived)

    def _create(self, spec: ImageSpec, moment: Moment, attempted: str) -> None:
        world = self.world
        server = ours(
            named(world.instances, spec.instance, "instance", attempted), attempted
        )
        parent = world.images.get(server.spec.image)
        inherited = parent.properties if parent else {}
        record = ImageRecord(
            world.new_id("image"),
            spec.name,
            {**inherited, **spec.properties, IMAGE_MARK: spec.name},
            status="saving",
        )
        world.images[spec.name] = record
        failed = moment.fault and moment.fault.kind is FaultKind.ERROR_STATUS

        def finished(_due: datetime) -> None:
            record.status = "killed" if failed else "active"

        world.agenda.book(
            world.after(moment.now, world.scenario.speeds.build), finished
        )

    def describe_image(
        self, image: str, properties: Mapping[str, str], *, deadline_seconds: float
    ) -> Image:
        assert deadline_seconds > 0
        attempted = f"describing image {image}"

        def act(_moment: Moment) -> Image:
            record = self._marked(image, attempted)
            if record is None:
                raise ResourceMissing(attempted, f"there is no image {image}")
            record.properties.update(properties)
            return reading.image(record)

        return self.call("describe_image", image, act)

    def delete_image(self, image: str, *, deadline_seconds: float) -> None:
        assert deadline_seconds > 0
        attempted = f"deleting image {image}"

        def act(_moment: Moment) -> None:
            if self._marked(image, attempted) is not None:
                del self.world.images[image]

        self.call("delete_image", image, act)

    def _marked(self, name: str, attempted: str) -> ImageRecord | None:
        """
        The image of that name, if it is ours.
        """
        record = self.world.images.get(name)
        if record is not None and record.properties.get(IMAGE_MARK) != name:
            raise NameTaken(
                attempted,
                f"{name} ({record.id}) exists and was not made by Fournines",
                "Rename or delete it, or choose another name",
            )
        return record
