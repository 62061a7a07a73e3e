"""
Networks, security groups, server groups, volumes and floating IPs of the simulated cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from fournines.cloud.errors import (
    CapacityMissing,
    CloudBusy,
    CloudRefused,
    QuotaExceeded,
)
from fournines.cloud.simulated import reading
from fournines.cloud.simulated.door import Door, Moment, named, ours
from fournines.cloud.simulated.records import (
    FloatingIpRecord,
    Marked,
    NetworkRecord,
    PortRecord,
    SecurityGroupRecord,
    ServerGroupRecord,
    VolumeRecord,
)
from fournines.model.inventory import (
    FloatingIp,
    Network,
    Port,
    SecurityGroup,
    ServerGroup,
    Volume,
)
from fournines.model.specification import (
    FloatingIpSpec,
    NetworkSpec,
    PortSpec,
    SecurityGroupSpec,
    ServerGroupSpec,
    VolumeSpec,
)

R = TypeVar("R", bound=Marked)


class Shared(Door):
    """
    The part of the cloud that is Neutron and Cinder, and Nova's server groups.
    """

    def ensure_network(self, spec: NetworkSpec, *, deadline_seconds: float) -> Network:
        def make(_now: datetime) -> NetworkRecord:
            cidr = spec.cidr or self.scenario.subnet_pool_cidr
            number = self.world.new_id("network")
            return NetworkRecord.on(cidr, number, spec.name, spec.owner)

        record = self._ensure(
            "network", spec.name, self.world.networks, make, deadline_seconds
        )
        return reading.network(record)

    def ensure_security_group(
        self, spec: SecurityGroupSpec, *, deadline_seconds: float
    ) -> SecurityGroup:
        def make(_now: datetime) -> SecurityGroupRecord:
            number = self.world.new_id("sg")
            return SecurityGroupRecord(number, spec.name, spec.owner)

        record = self._ensure(
            "security_group",
            spec.name,
            self.world.security_groups,
            make,
            deadline_seconds,
        )
        kept = record.rules if spec.additive else ()
        record.rules = tuple(dict.fromkeys((*kept, *spec.rules)))
        record.tampered = None
        record.owner = spec.owner
        return SecurityGroup(id=record.id, name=record.name, owner=record.owner)

    def ensure_server_group(
        self, spec: ServerGroupSpec, *, deadline_seconds: float
    ) -> ServerGroup:
        def make(_now: datetime) -> ServerGroupRecord:
            number = self.world.new_id("servergroup")
            return ServerGroupRecord(number, spec.name, spec.owner, spec.policy)

        record = self._ensure(
            "server_group", spec.name, self.world.server_groups, make, deadline_seconds
        )
        return ServerGroup(
            id=record.id, name=record.name, owner=record.owner, policy=record.policy
        )

    def ensure_volume(self, spec: VolumeSpec, *, deadline_seconds: float) -> Volume:
        def make(now: datetime) -> VolumeRecord:
            record = VolumeRecord(
                self.world.new_id("volume"),
                spec.name,
                spec.owner,
                spec.size_gb,
                spec.zone,
            )

            def available(_due: datetime) -> None:
                record.status = "available"

            due = self.world.after(now, self.scenario.speeds.volume)
            self.world.agenda.book(due, available)
            return record

        deadline = self.deadline(deadline_seconds)
        record = self._ensure(
            "volume", spec.name, self.world.volumes, make, deadline_seconds
        )
        self.wait(
            f"creating volume {spec.name}",
            deadline,
            lambda: record.status != "creating" or None,
        )
        return reading.volume(record)

    def ensure_port(self, spec: PortSpec, *, deadline_seconds: float) -> Port:
        attempted = f"creating port {spec.name}"

        def make(_now: datetime) -> PortRecord:
            network = named(self.world.networks, spec.network, "network", attempted)
            for group in spec.security_groups:
                named(self.world.security_groups, group, "security group", attempted)
            address = network.take()
            if address is None:
                raise CapacityMissing(
                    attempted, f"no address is free in {spec.network}"
                )
            number = self.world.new_id("port")
            return PortRecord(number, spec.name, spec.owner, spec.network, address)

        record = self._ensure(
            "port", spec.name, self.world.ports, make, deadline_seconds
        )
        return reading.port(record)

    def port_addresses(self, names: Sequence[str]) -> dict[str, str]:
        def act(_moment: Moment) -> dict[str, str]:
            attempted = "reading addresses"
            return {
                name: named(self.world.ports, name, "port", attempted).address
                for name in names
            }

        return self.call("port_addresses", ", ".join(names), act)

    def entrances(self, load_balancer: str) -> tuple[str, ...]:
        def act(_moment: Moment) -> tuple[str, ...]:
            attempted = f"reading the addresses of {load_balancer}"
            record = named(
                self.world.load_balancers, load_balancer, "load balancer", attempted
            )
            outside = (
                floating.address
                for floating in self.world.floating_ips.values()
                if floating.load_balancer == load_balancer
            )
            return (record.vip_address, *outside)

        return self.call("entrances", load_balancer, act)

    def delete_port(self, name: str, *, deadline_seconds: float) -> None:
        def in_use(record: PortRecord) -> str | None:
            if record.attached_to:
                return "an instance uses it"
            if record.network in self.world.networks:
                self.world.networks[record.network].free.append(record.address)
            return None

        self._delete("port", name, self.world.ports, in_use, deadline_seconds)

    def ensure_floating_ip(
        self, spec: FloatingIpSpec, *, deadline_seconds: float
    ) -> FloatingIp:
        attempted = f"creating floating IP {spec.name}"

        def make(_now: datetime) -> FloatingIpRecord:
            named(
                self.world.load_balancers,
                spec.load_balancer,
                "load balancer",
                attempted,
            )
            number = self.world.new_id("fip")
            address = str(next(self.world.external))
            return FloatingIpRecord(number, spec.name, spec.owner, address)

        record = self._ensure(
            "floating_ip", spec.name, self.world.floating_ips, make, deadline_seconds
        )
        record.load_balancer = spec.load_balancer
        with self._lock:
            return reading.floating_ip(self.world, record)

    def delete_network(self, name: str, *, deadline_seconds: float) -> None:
        def in_use(_record: NetworkRecord) -> str | None:
            users = [
                *(
                    r.name
                    for r in self.world.instances.values()
                    if r.spec.network == name
                ),
                *(
                    r.name
                    for r in self.world.load_balancers.values()
                    if r.network == name
                ),
                *(r.name for r in self.world.ports.values() if r.network == name),
            ]
            return f"{len(users)} ports are in use: {users[0]}, ..." if users else None

        self._delete("network", name, self.world.networks, in_use, deadline_seconds)

    def delete_security_group(self, name: str, *, deadline_seconds: float) -> None:
        def in_use(_record: SecurityGroupRecord) -> str | None:
            used = any(
                name in r.spec.security_groups for r in self.world.instances.values()
            )
            return "instances use it" if used else None

        self._delete(
            "security_group", name, self.world.security_groups, in_use, deadline_seconds
        )

    def delete_server_group(self, name: str, *, deadline_seconds: float) -> None:
        self._delete(
            "server_group",
            name,
            self.world.server_groups,
            lambda _: None,
            deadline_seconds,
        )

    def delete_volume(self, volume: str, *, deadline_seconds: float) -> None:
        def in_use(record: VolumeRecord) -> str | None:
            return "it is attached" if record.attached_to else None

        self._delete("volume", volume, self.world.volumes, in_use, deadline_seconds)

    def delete_floating_ip(self, name: str, *, deadline_seconds: float) -> None:
        self._delete(
            "floating_ip",
            name,
            self.world.floating_ips,
            lambda _: None,
            deadline_seconds,
        )

    def _ensure(
        self,
        noun: str,
        name: str,
        records: dict[str, R],
        make: Callable[[datetime], R],
        deadline_seconds: float,
    ) -> R:
        """
        The record of that name, made if it is missing.
        """
        assert deadline_seconds > 0
        attempted = f"creating {noun.replace('_', ' ')} {name}"

        def act(moment: Moment) -> R:
            if name in records:
                return ours(records[name], attempted)
            if self._quota_left(noun) == 0:
                raise QuotaExceeded(
                    attempted, f"the project's quota of {noun}s is used up"
                )
            records[name] = make(moment.now)
            return records[name]

        return self.call(f"ensure_{noun}", name, act)

    def _quota_left(self, noun: str) -> int:
        left: int = getattr(self.world.left(), f"{noun}s", -1)
        return left

    def _delete(
        self,
        noun: str,
        name: str,
        records: dict[str, R],
        in_use: Callable[[R], str | None],
        deadline_seconds: float,
    ) -> None:
        assert deadline_seconds > 0
        attempted = f"deleting {noun.replace('_', ' ')} {name}"

        def act(_moment: Moment) -> None:
            record = records.get(name)
            if record is None:
                return
            obstacle = in_use(ours(record, attempted))
            if obstacle:
                raise CloudBusy(attempted, obstacle)
            del records[name]

        try:
            self.call(f"delete_{noun}", name, act)
        except CloudBusy as busy:
            raise CloudRefused(
                attempted, busy.detail, "Delete what uses it first"
            ) from busy
