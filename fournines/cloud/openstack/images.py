"""
Images made of instances: made by Nova, kept, described and deleted by Glance.

Glance knows an image only once Nova has asked for it, and Nova's answer may be lost: so whoever makes one looks for its name first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from fournines.cloud.errors import (
    CloudBusy,
    CloudRefused,
    ResourceFailed,
    ResourceMissing,
)
from fournines.cloud.openstack import lookups
from fournines.cloud.openstack.base import Context, age, chosen, until
from fournines.cloud.openstack.instances import Instances
from fournines.cloud.openstack.lookups import Lookups
from fournines.model.inventory import Image
from fournines.model.ownership import IMAGE_MARK, MARK, Owner
from fournines.model.specification import ImageSpec

Body = dict[str, Any]

MICROVERSION = "2.45"
"""From here on Nova answers a createImage with the image's id in the body."""

_PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
_UNDER_WAY = {"queued", "saving", "uploading", "importing"}
_GONE = {"deleted", "pending_delete"}


class Images(Lookups):
    """
    The part of the adapter that makes images.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._servers = Instances(context)

    def all_images(self) -> tuple[Image, ...]:
        """
        Of every status, fresh.
        """
        attempted = "reading the images"
        found = self.retried(
            lambda: self.connection.listing("image", "/images", "images", attempted)
        )
        return tuple(lookups.image(body) for body in found)

    def images_in_use(self) -> frozenset[str]:
        """
        By the project's servers; those that booted from a volume name none.
        """
        attempted = "reading which images are in use"
        found = self.retried(lambda: self._servers.servers_named(".", attempted))
        return frozenset(
            str(body["image"]["id"])
            for body in found
            if isinstance(body.get("image"), dict)
        )

    def ensure_image(self, spec: ImageSpec, *, deadline_seconds: float) -> Image:
        attempted = f"making image {spec.name}"
        end = until(deadline_seconds)

        def unit() -> str:
            present = self._look(spec.name, attempted)
            if present is not None and present["status"] in {"active", *_UNDER_WAY}:
                return str(present["id"])
            if present is not None:
                self._remove(present["id"], attempted)
            return self._create(spec, attempted)

        with self.context.lock(spec.name):
            number = self.persistently(unit, until=end)
        self.known.forget("list", "images")
        return lookups.image(
            self.poll(attempted, end, lambda: self._arrived(number, attempted))
        )

    def _look(self, name: str, attempted: str) -> Body | None:
        found = self.connection.listing(
            "image", "/images", "images", attempted, params={"name": name}
        )
        return chosen(
            (body for body in found if body["status"] not in _GONE),
            owner_of=_owner,
            age_of=age,
            wanted=None,
            attempted=attempted,
            discard=lambda body: self._remove(body["id"], attempted),
        )

    def _create(self, spec: ImageSpec, attempted: str) -> str:
        server = self._servers.found(spec.instance, attempted)
        marked = {**spec.properties, IMAGE_MARK: spec.name}
        answer = self.connection.send(
            "POST",
            "compute",
            f"/servers/{server['id']}/action",
            attempted,
            body={"createImage": {"name": spec.name, "metadata": marked}},
            microversion=MICROVERSION,
        )
        return str(answer["image_id"])

    def _arrived(self, number: str, attempted: str) -> Body | None:
        try:
            body: Body = self.connection.get("image", f"/images/{number}", attempted)
        except ResourceMissing as missing:
            # Nova deletes what it could not finish.
            raise ResourceFailed(attempted, "the cloud gave it up") from missing
        if body["status"] in {"active", *_UNDER_WAY}:
            return body if body["status"] == "active" else None
        self._remove(number, attempted)
        raise ResourceFailed(attempted, f"it went to {body['status']}")

    def describe_image(
        self, image: str, properties: Mapping[str, str], *, deadline_seconds: float
    ) -> Image:
        attempted = f"describing image {image}"

        def unit() -> Body:
            body = self._look(image, attempted)
            if body is None:
                raise ResourceMissing(attempted, f"there is no image {image}")
            changes = [
                {
                    "op": "replace" if key in body else "add",
                    "path": f"/{key}",
                    "value": value,
                }
                for key, value in properties.items()
                if body.get(key) != value
            ]
            if not changes:
                return body
            changed: Body = self.connection.send(
                "PATCH",
                "image",
                f"/images/{body['id']}",
                attempted,
                body=changes,
                headers=_PATCH,
            )
            return changed

        described = self.retried(unit, until=until(deadline_seconds))
        self.known.forget("list", "images")
        return lookups.image(described)

    def delete_image(self, image: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting image {image}"
        end = until(deadline_seconds)

        def unit() -> None:
            body = self._look(image, attempted)
            if body is not None:
                self._remove(body["id"], attempted)

        try:
            self.retried(unit, until=end)
            self.poll(
                attempted,
                end,
                lambda: self._look(image, attempted) is None or None,
            )
        except CloudBusy as busy:
            raise CloudRefused(
                attempted, busy.detail, "Delete what depends on it first"
            ) from busy
        finally:
            self.known.forget("list", "images")

    def _remove(self, number: str, attempted: str) -> None:
        with contextlib.suppress(ResourceMissing):
            self.connection.send("DELETE", "image", f"/images/{number}", attempted)


def _owner(body: Body) -> Owner | None:
    ours = body.get(IMAGE_MARK) == body.get("name")
    return Owner(platform=MARK) if ours else None
