"""
Instances: made, restarted, deleted, read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from fournines.cloud.errors import (
    CapacityMissing,
    CloudError,
    CloudRefused,
    FeatureMissing,
    NameTaken,
    RequestInvalid,
    ResourceFailed,
    ResourceMissing,
)
from fournines.cloud.openstack import servers
from fournines.cloud.openstack.base import Context, age, chosen, until
from fournines.cloud.openstack.lookups import Lookups
from fournines.cloud.openstack.ports import Ports
from fournines.cloud.openstack.server_groups import ServerGroups
from fournines.cloud.openstack.volumes import Volumes
from fournines.model.inventory import Instance
from fournines.model.ownership import Owner
from fournines.model.specification import InstanceSpec

Body = dict[str, Any]

BUILD_SECONDS_MIN = 1.0
"""No server was ever ACTIVE sooner: asking before is a wasted call."""

_GONE = {"DELETED", "SOFT_DELETED"}
_UNFIT = {"ERROR", "DELETING"}


class Instances(Lookups):
    """
    The part of the adapter that speaks to Nova about servers.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._groups = ServerGroups(context)
        self._volumes = Volumes(context)
        self._ports = Ports(context)

    def servers_named(self, pattern: str, attempted: str) -> list[Body]:
        """
        The servers of our project whose names match a regular expression.
        """
        return self.connection.listing(
            "compute",
            "/servers/detail",
            "servers",
            attempted,
            params={"name": pattern},
            microversion=servers.MICROVERSION,
        )

    def addresses(self, names: Iterable[str], attempted: str) -> dict[str, str]:
        """
        The addresses of instances of ours. Raises ResourceMissing for one that has none.
        """
        found = {name: self.known.get("address", name) for name in names}
        unknown = [name for name, address in found.items() if address is None]
        if unknown:
            pattern = f"^({'|'.join(unknown)})$"
            for body in self.servers_named(pattern, attempted):
                if servers.owner(body) and servers.address(body):
                    found[body["name"]] = servers.address(body)
        for name, address in found.items():
            if address is None:
                raise ResourceMissing(
                    attempted, f"there is no instance {name} with an address"
                )
        return {name: str(address) for name, address in found.items()}

    def ensure_instance(
        self, spec: InstanceSpec, *, deadline_seconds: float
    ) -> Instance:
        attempted = f"creating instance {spec.name}"
        end = until(deadline_seconds)

        patience = 0.0

        def unit() -> tuple[str, bool]:
            nonlocal patience
            present = self._look(spec.name, spec.owner, attempted)
            if present is None:
                patience = BUILD_SECONDS_MIN
                return self._create(spec, attempted), False
            if present["status"] == "SHUTOFF":
                self._act(present["id"], {"os-start": None}, attempted)
            # A failed or dying one of ours must not stand in the way of a good one.
            return present["id"], servers.status(present) in _UNFIT

        # Two callers in one process queue here; those of two processes leave twins, of which the next look keeps one.
        with self.context.lock(spec.name):
            number, unfit = self.retried(unit, until=end)
        if unfit:
            self._delete(number, attempted, end)
            number, _ = self.retried(unit, until=end)
        body = self.poll(
            attempted,
            end,
            lambda: self._arrived(number, attempted, end),
            first_seconds=patience,
        )
        for volume in spec.volumes:
            self._volumes.attach(
                number, volume, f"attaching {volume} to {spec.name}", end
            )
        self.known.put("address", spec.name, servers.address(body))
        return servers.instance(body).model_copy(
            update={"image": spec.image, "flavor": spec.flavor}
        )

    def _look(self, name: str, wanted: Owner | None, attempted: str) -> Body | None:
        found = [
            body
            for body in self.servers_named(f"^{name}$", attempted)
            if body["name"] == name and body["status"] not in _GONE
        ]
        return chosen(
            found,
            owner_of=servers.owner,
            age_of=age,
            wanted=wanted,
            attempted=attempted,
            discard=lambda body: self._remove(body["id"], attempted),
        )

    def _create(self, spec: InstanceSpec, attempted: str) -> str:
        group = spec.server_group
        body = servers.creation(
            spec,
            image=self.image_id(spec.image, attempted),
            flavor=self.flavor_id(spec.flavor, attempted),
            network=self.network_id(spec.network, attempted),
            group=self._groups.server_group_id(group, attempted) if group else None,
            port=self._ports.port_id(spec.port, attempted) if spec.port else None,
        )
        try:
            made = self.connection.send(
                "POST", "compute", "/servers", attempted, body=body
            )
        except RequestInvalid as refused:
            # Perhaps one of the ids remembered is no longer true: the next look is fresh.
            self.known.forget("network", spec.network)
            if group:
                self.known.forget("server_group", group)
            if "availability zone" not in refused.detail:
                raise
            raise RequestInvalid(
                attempted, f"{refused.detail} ({spec.zone})"
            ) from refused
        return str(made["server"]["id"])

    def _arrived(self, number: str, attempted: str, end: float) -> Body | None:
        """
        The server once it is ACTIVE with an address; one that failed is deleted and its fault raised.
        """
        try:
            body = self._read(number, attempted)
        except ResourceMissing as missing:
            raise ResourceFailed(
                attempted, "it was deleted while it was built"
            ) from missing
        if body["status"] == "ERROR":
            fault = (body.get("fault") or {}).get("message") or "unknown fault"
            with contextlib.suppress(CloudError):
                self._delete(number, attempted, end)
            scarce = "no valid host" in fault.lower()
            kind = CapacityMissing if scarce else ResourceFailed
            raise kind(attempted, fault)
        ready = body["status"] == "ACTIVE" and not _busy(body)
        return body if ready and servers.address(body) else None

    def _read(self, number: str, attempted: str) -> Body:
        body: Body = self.connection.get(
            "compute",
            f"/servers/{number}",
            attempted,
            microversion=servers.MICROVERSION,
        )["server"]
        return body

    def _act(self, number: str, action: Body, attempted: str) -> Any:
        return self.connection.send(
            "POST", "compute", f"/servers/{number}/action", attempted, body=action
        )

    def restart_instance(self, instance: str, *, deadline_seconds: float) -> None:
        attempted = f"restarting instance {instance}"
        end = until(deadline_seconds)

        def unit() -> str:
            body = self._ours(instance, attempted)
            if body["status"] == "SHUTOFF":
                self._act(body["id"], {"os-start": None}, attempted)
            elif not _busy(body):
                self._act(body["id"], {"reboot": {"type": "HARD"}}, attempted)
            return str(body["id"])

        number = self.retried(unit, until=end)
        self.poll(attempted, end, lambda: self._running(number, attempted))

    def _running(self, number: str, attempted: str) -> bool | None:
        body = self._read(number, attempted)
        if body["status"] == "ERROR":
            fault = (body.get("fault") or {}).get("message") or "unknown fault"
            raise ResourceFailed(attempted, fault)
        return (body["status"] == "ACTIVE" and not _busy(body)) or None

    def stop_instance(self, instance: str, *, deadline_seconds: float) -> None:
        attempted = f"stopping instance {instance}"
        end = until(deadline_seconds)

        def unit() -> str:
            body = self._ours(instance, attempted)
            if body["status"] != "SHUTOFF" and not _busy(body):
                self._act(body["id"], {"os-stop": None}, attempted)
            return str(body["id"])

        number = self.retried(unit, until=end)

        def stopped() -> bool | None:
            body = self._read(number, attempted)
            return (body["status"] == "SHUTOFF" and not _busy(body)) or None

        self.poll(attempted, end, stopped)

    def found(self, name: str, attempted: str) -> Body:
        """
        The server of an instance of ours. Raises ResourceMissing.
        """
        return self._ours(name, attempted)

    def _ours(self, name: str, attempted: str) -> Body:
        body = self._look(name, None, attempted)
        if body is None:
            raise ResourceMissing(attempted, f"there is no instance {name}")
        if body.get("locked"):
            raise CloudRefused(
                attempted, "the instance is locked", "Whoever locked it may unlock it"
            )
        return body

    def withdraw_metadata(
        self, instance: str, key: str, *, deadline_seconds: float
    ) -> None:
        attempted = f"withdrawing {key} from instance {instance}"
        end = until(deadline_seconds)

        def unit() -> None:
            body = self._look(instance, None, attempted)
            if body is None:
                raise ResourceMissing(attempted, f"there is no instance {instance}")
            if key not in (body.get("metadata") or {}):
                return
            with contextlib.suppress(ResourceMissing):
                self.connection.send(
                    "DELETE",
                    "compute",
                    f"/servers/{body['id']}/metadata/{key}",
                    attempted,
                )

        # Nova refuses while another task is under way: it is waited for.
        self.persistently(unit, until=end)

    def delete_instance(self, instance: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting instance {instance}"
        end = until(deadline_seconds)
        try:
            body = self.retried(lambda: self._ours(instance, attempted), until=end)
        except ResourceMissing:
            return
        finally:
            self.known.forget("address", instance)
        self._delete(body["id"], attempted, end)

    def _delete(self, number: str, attempted: str, end: float) -> None:
        self.retried(lambda: self._remove(number, attempted), until=end)

        def gone() -> bool | None:
            try:
                return self._read(number, attempted)["status"] in _GONE or None
            except ResourceMissing:
                return True

        self.poll(attempted, end, gone)

    def _remove(self, number: str, attempted: str) -> None:
        with contextlib.suppress(ResourceMissing):
            self.connection.send("DELETE", "compute", f"/servers/{number}", attempted)

    def console(self, instance: str, lines: int = 50) -> str:
        attempted = f"reading the console of {instance}"

        def unit() -> str:
            body = self._look(instance, None, attempted)
            if body is None:
                raise ResourceMissing(attempted, f"there is no instance {instance}")
            action = {"os-getConsoleOutput": {"length": lines}}
            answer = self._act(body["id"], action, attempted)
            return str((answer or {}).get("output") or "")

        try:
            return self.retried(unit)
        except (FeatureMissing, RequestInvalid, NameTaken):
            return ""


def _busy(body: Body) -> bool:
    return body.get("OS-EXT-STS:task_state") is not None
