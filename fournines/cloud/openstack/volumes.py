"""
Volumes. They outlive instances: an instance that names one takes it from where it is attached.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container
from typing import Any

from fournines.cloud.errors import (
    CapacityMissing,
    CloudBusy,
    ResourceFailed,
    ResourceMissing,
)
from fournines.cloud.openstack.base import Base, age, chosen, until
from fournines.model.inventory import Volume
from fournines.model.ownership import Owner
from fournines.model.specification import VolumeSpec

Body = dict[str, Any]

_SETTLED = {"available", "in-use"}


class Volumes(Base):
    """
    The part of the adapter that makes, moves and deletes volumes.
    """

    def ensure_volume(self, spec: VolumeSpec, *, deadline_seconds: float) -> Volume:
        attempted = f"creating volume {spec.name}"
        end = until(deadline_seconds)

        def unit() -> Body:
            return self._look(spec.name, spec.owner, attempted) or self._make(
                spec, attempted
            )

        number = self.retried(unit, until=end)["id"]

        def look() -> Body | None:
            body = self._read(number, attempted)
            if body["status"].startswith("error"):
                self._remove(number, attempted)
                raise CapacityMissing(
                    attempted, "it went to ERROR", "The storage may be full"
                )
            return body if body["status"] in _SETTLED else None

        return volume(self.poll(attempted, end, look))

    def _look(self, name: str, wanted: Owner | None, attempted: str) -> Body | None:
        found = self.connection.listing(
            "block_storage",
            "/volumes/detail",
            "volumes",
            attempted,
            params={"name": name},
        )
        return chosen(
            found,
            owner_of=lambda body: Owner.from_metadata(body["metadata"]),
            age_of=age,
            wanted=wanted,
            attempted=attempted,
            discard=lambda body: self._remove(body["id"], attempted),
        )

    def _make(self, spec: VolumeSpec, attempted: str) -> Body:
        body: Body = {
            "name": spec.name,
            "size": spec.size_gb,
            "metadata": spec.owner.metadata(),
            "availability_zone": self._zone(spec.zone, attempted),
            "volume_type": spec.volume_type,
        }
        wanted = {key: value for key, value in body.items() if value is not None}
        made: Body = self.connection.send(
            "POST", "block_storage", "/volumes", attempted, body={"volume": wanted}
        )["volume"]
        return made

    def _zone(self, wanted: str | None, attempted: str) -> str | None:
        """
        The zone if the storage has it by that name; many a storage has one zone for all hosts, and is reached from each.
        """
        if wanted is None:
            return None
        zones = self.known.get("list", "volume zones")
        if zones is None:
            body = self.connection.get(
                "block_storage", "/os-availability-zone", attempted
            )
            zones = {
                one["zoneName"]
                for one in body["availabilityZoneInfo"]
                if one["zoneState"]["available"]
            }
            self.known.put("list", "volume zones", zones)
        return wanted if wanted in zones else None

    def _read(self, number: str, attempted: str) -> Body:
        body: Body = self.connection.get(
            "block_storage", f"/volumes/{number}", attempted
        )["volume"]
        return body

    def _remove(self, number: str, attempted: str) -> None:
        with contextlib.suppress(ResourceMissing):
            self.connection.send(
                "DELETE", "block_storage", f"/volumes/{number}", attempted
            )

    def delete_volume(self, volume: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting volume {volume}"
        end = until(deadline_seconds)
        body = self.retried(lambda: self._look(volume, None, attempted), until=end)
        if body is None:
            return
        number = body["id"]
        self.persistently(lambda: self._delete(number, attempted), until=end)

        def gone() -> bool | None:
            try:
                self._read(number, attempted)
            except ResourceMissing:
                return True
            return None

        self.poll(attempted, end, gone)

    def _delete(self, number: str, attempted: str) -> None:
        try:
            status = self._read(number, attempted)["status"]
        except ResourceMissing:
            return
        if status in {"in-use", "detaching"}:
            # Cinder says 400 to this, for good; it is a matter of waiting for Nova.
            raise CloudBusy(attempted, f"it is {status}")
        self._remove(number, attempted)

    def attach(self, server: str, volume: str, attempted: str, end: float) -> None:
        """
        Attach a volume to a server, taking it from another one if need be; until it is in use there.
        """
        body = self.retried(lambda: self._look(volume, None, attempted), until=end)
        if body is None:
            raise ResourceMissing(attempted, f"there is no volume {volume}")
        number = body["id"]
        holders = {one["server_id"] for one in body["attachments"]}
        if server in holders:
            return
        for holder in holders:
            self._detach(holder, number, attempted, end)
        self.retried(lambda: self._attach(server, number, attempted), until=end)
        self.poll(attempted, end, lambda: self._attached(number, server, attempted))

    def _attach(self, server: str, number: str, attempted: str) -> None:
        if self._attached(number, server, attempted):
            return
        self.connection.send(
            "POST",
            "compute",
            f"/servers/{server}/os-volume_attachments",
            attempted,
            body={"volumeAttachment": {"volumeId": number}},
        )

    def _attached(self, number: str, server: str, attempted: str) -> bool | None:
        body = self._read(number, attempted)
        if body["status"].startswith("error"):
            raise ResourceFailed(attempted, f"the volume is {body['status']}")
        holders = {one["server_id"] for one in body["attachments"]}
        return (body["status"] == "in-use" and server in holders) or None

    def _detach(self, holder: str, number: str, attempted: str, end: float) -> None:
        def unit() -> None:
            with contextlib.suppress(ResourceMissing):
                self.connection.send(
                    "DELETE",
                    "compute",
                    f"/servers/{holder}/os-volume_attachments/{number}",
                    attempted,
                )

        def free() -> bool | None:
            return self._read(number, attempted)["status"] == "available" or None

        self.retried(unit, until=end)
        self.poll(attempted, end, free)


def volume(body: Body, zones: Container[str] | None = None) -> Volume:
    """
    A volume as the domain knows it. A zone that takes no instances (`zones` do) binds none.
    """
    zone = body.get("availability_zone")
    holders = [one["server_id"] for one in body.get("attachments", [])]
    return Volume(
        id=body["id"],
        name=body["name"] or "",
        owner=Owner.from_metadata(body["metadata"]),
        status=body["status"],
        size_gb=body["size"],
        zone=zone if zones is None or zone in zones else None,
        attached_to=holders[0] if holders else None,
    )
