"""
From names to ids, for what others made: images, flavors, networks, subnets.
"""

from __future__ import annotations

from typing import Any

from fournines.cloud.errors import ResourceMissing
from fournines.cloud.openstack.base import Base
from fournines.model.inventory import Flavor, Image
from fournines.model.ownership import MARK

Body = dict[str, Any]

PROPERTY_PREFIX = f"{MARK}_"
"""Image properties of ours; Glance keeps them beside its own words in one mapping."""


class Lookups(Base):
    """
    The part of the adapter that resolves names, remembering them for a while.
    """

    def images(self, attempted: str) -> tuple[Image, ...]:
        """
        The images that may be used.
        """
        known = self.known.get("list", "images")
        if known is None:
            found = self.connection.listing(
                "image",
                "/images",
                "images",
                attempted,
                params={"status": "active"},
            )
            known = tuple(image(body) for body in found)
            self.known.put("list", "images", known)
        return tuple(known)

    def flavors(self, attempted: str) -> tuple[Flavor, ...]:
        """
        The flavors that may be used.
        """
        known = self.known.get("list", "flavors")
        if known is None:
            found = self.connection.listing(
                "compute", "/flavors/detail", "flavors", attempted
            )
            known = tuple(_flavor(body) for body in found)
            self.known.put("list", "flavors", known)
        return tuple(known)

    def zones(self, attempted: str) -> tuple[str, ...]:
        """
        Availability zones that take new instances, by name.
        """
        known = self.known.get("list", "zones")
        if known is None:
            body = self.connection.get("compute", "/os-availability-zone", attempted)
            known = tuple(
                sorted(
                    zone["zoneName"]
                    for zone in body["availabilityZoneInfo"]
                    if zone["zoneState"]["available"]
                )
            )
            self.known.put("list", "zones", known)
        return tuple(known)

    def image_id(self, name: str, attempted: str) -> str:
        """
        The image's id. Raises ResourceMissing.
        """
        return self._id(name, self.images, "image", attempted)

    def flavor_id(self, name: str, attempted: str) -> str:
        """
        The flavor's id. Raises ResourceMissing.
        """
        return self._id(name, self.flavors, "flavor", attempted)

    def _id(self, name: str, read: Any, noun: str, attempted: str) -> str:
        for again in (False, True):
            if again:
                self.known.forget("list", f"{noun}s")
            for one in read(attempted):
                if name in {one.name, one.id}:
                    return str(one.id)
        raise ResourceMissing(
            attempted,
            f"there is no {noun} {name}",
            f"`openstack {noun} list` shows what there is",
        )

    def network_id(self, name: str, attempted: str) -> str:
        """
        A network's id. Raises ResourceMissing.
        """
        return self._neutron_id("network", name, attempted)

    def subnet_id(self, name: str, attempted: str) -> str:
        """
        The id of the subnet of a network of ours. Raises ResourceMissing.
        """
        return self._neutron_id("subnet", name, attempted)

    def _neutron_id(self, noun: str, name: str, attempted: str) -> str:
        known = self.known.get(noun, name)
        if known is None:
            found = self.connection.listing(
                "network",
                f"/{noun}s",
                f"{noun}s",
                attempted,
                params={"name": name, "project_id": self.connection.project_id},
            )
            if not found:
                raise ResourceMissing(attempted, f"there is no {noun} {name}")
            known = found[0]["id"]
            self.known.put(noun, name, known)
        return str(known)


def image(body: Body) -> Image:
    """
    An image as the domain knows it.
    """
    return Image(
        id=body["id"],
        name=body.get("name") or "",
        status=body["status"],
        min_disk_gb=body.get("min_disk") or 0,
        min_ram_mb=body.get("min_ram") or 0,
        size_bytes=body.get("size") or 0,
        properties={
            key: str(value)
            for key, value in body.items()
            if key.startswith(PROPERTY_PREFIX) and value
        },
    )


def _flavor(body: Body) -> Flavor:
    return Flavor(
        id=body["id"],
        name=body["name"],
        vcpus=body["vcpus"],
        ram_mb=body["ram"],
        disk_gb=body["disk"],
    )
