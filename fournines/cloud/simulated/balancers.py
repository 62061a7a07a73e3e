"""
Load balancers and members of the simulated cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fournines.cloud.errors import CloudRefused, QuotaExceeded, ResourceFailed
from fournines.cloud.simulated import health, reading
from fournines.cloud.simulated.door import Door, Moment, named, ours
from fournines.cloud.simulated.faults import FaultKind
from fournines.cloud.simulated.records import (
    LoadBalancerRecord,
    MemberRecord,
    PoolRecord,
)
from fournines.cloud.simulated.world import World
from fournines.model.inventory import LoadBalancer, Pool
from fournines.model.specification import LoadBalancerSpec, MemberSpec


class Balancers(Door):
    """
    The part of the cloud that is Octavia.
    """

    def ensure_load_balancer(
        self, spec: LoadBalancerSpec, *, deadline_seconds: float
    ) -> LoadBalancer:
        attempted = f"creating load balancer {spec.name}"

        def act(moment: Moment) -> None:
            present = self.world.load_balancers.get(spec.name)
            if present is None:
                _create(self.world, spec, moment, attempted)
            elif ours(present, attempted).status == "ACTIVE":
                _bring_up_to_date(self.world, present, spec, moment)

        def arrived() -> LoadBalancer | None:
            record = named(
                self.world.load_balancers, spec.name, "load balancer", attempted
            )
            if record.status == "ERROR":
                if not any(pool.members for pool in record.pools.values()):
                    del self.world.load_balancers[spec.name]
                raise ResourceFailed(attempted, "provisioning status ERROR")
            ready = record.status == "ACTIVE"
            return reading.load_balancer(self.world, record) if ready else None

        with self.balancer_lock(spec.name):
            deadline = self.deadline(deadline_seconds)
            self.call("ensure_load_balancer", spec.name, act)
            return self.wait(attempted, deadline, arrived)

    def delete_load_balancer(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"deleting load balancer {name}"

        def act(moment: Moment) -> None:
            record = self.world.load_balancers.get(name)
            if record is None or record.status == "PENDING_DELETE":
                return
            ours(record, attempted).status = "PENDING_DELETE"
            due = self.world.after(moment.now, self.scenario.speeds.change)
            self.world.agenda.book(due, lambda _: _forget(self.world, record))

        def gone() -> bool | None:
            return name not in self.world.load_balancers or None

        with self.balancer_lock(name):
            deadline = self.deadline(deadline_seconds)
            self.call("delete_load_balancer", name, act)
            self.wait(attempted, deadline, gone)

    def failover_load_balancer(self, name: str, *, deadline_seconds: float) -> None:
        attempted = f"failing load balancer {name} over"

        def act(moment: Moment) -> None:
            record = ours(
                named(self.world.load_balancers, name, "load balancer", attempted),
                attempted,
            )
            if record.failover_stopped:
                raise CloudRefused(
                    attempted,
                    "its failover is stopped",
                    "An administrator must look at the load balancer",
                )
            _pend(
                self.world,
                record,
                moment,
                self.scenario.speeds.load_balancer,
                "PENDING_UPDATE",
            )

            def mend(_due: object) -> None:
                record.dead = False

            due = self.world.after(moment.now, self.scenario.speeds.load_balancer)
            self.world.agenda.book(due, mend)

        def settled() -> bool | None:
            record = named(self.world.load_balancers, name, "load balancer", attempted)
            return record.status in {"ACTIVE", "ERROR"} or None

        def arrived() -> bool | None:
            if not settled():
                return None
            if self.world.load_balancers[name].status == "ERROR":
                raise ResourceFailed(attempted, f"{name} is in ERROR")
            return True

        with self.balancer_lock(name):
            deadline = self.deadline(deadline_seconds)
            self.wait(attempted, deadline, settled)
            self.call("failover_load_balancer", name, act)
            self.wait(attempted, deadline, arrived)

    def pool(self, load_balancer: str, pool: str) -> Pool:
        def act(_moment: Moment) -> Pool:
            return reading.pool(
                self._pool(load_balancer, pool, f"reading pool {pool}")[1]
            )

        return self.call("pool", pool, act)

    def join_pool(
        self,
        load_balancer: str,
        pool: str,
        members: Sequence[MemberSpec],
        *,
        deadline_seconds: float,
    ) -> None:
        attempted = f"adding members to pool {pool}"

        def act(moment: Moment) -> None:
            balancer, record = self._pool(load_balancer, pool, attempted)
            changed = [_upsert(self.world, record, m, attempted) for m in members]
            for member in filter(None, changed):
                self.world.memberships[member.instance].add((load_balancer, pool))
                health.arm(self.world, load_balancer, pool, member, moment.now)
            if any(changed):
                self._pend(balancer, moment)

        self._change("join_pool", load_balancer, pool, act, deadline_seconds)

    def leave_pool(
        self,
        load_balancer: str,
        pool: str,
        instances: Sequence[str],
        *,
        deadline_seconds: float,
    ) -> None:
        attempted = f"removing members from pool {pool}"

        def act(moment: Moment) -> None:
            balancer, record = self._pool(load_balancer, pool, attempted)
            present = [name for name in instances if name in record.members]
            for name in present:
                record.members.pop(name).epoch += 1
                self.world.memberships[name].discard((load_balancer, pool))
            if present:
                self._pend(balancer, moment)

        self._change("leave_pool", load_balancer, pool, act, deadline_seconds)

    def set_weight(
        self,
        load_balancer: str,
        pool: str,
        instance: str,
        weight: int,
        *,
        deadline_seconds: float,
    ) -> None:
        attempted = f"setting the weight of {instance}"

        def act(moment: Moment) -> None:
            balancer, record = self._pool(load_balancer, pool, attempted)
            member = named(record.members, instance, "member", attempted)
            if member.weight != weight:
                member.weight = weight
                self._pend(balancer, moment)

        self._change("set_weight", load_balancer, instance, act, deadline_seconds)

    def _pool(
        self, load_balancer: str, pool: str, attempted: str
    ) -> tuple[LoadBalancerRecord, PoolRecord]:
        balancer = named(
            self.world.load_balancers, load_balancer, "load balancer", attempted
        )
        return balancer, named(balancer.pools, pool, "pool", attempted)

    def _pend(self, record: LoadBalancerRecord, moment: Moment) -> None:
        _pend(self.world, record, moment, self.scenario.speeds.change)

    def _change(
        self,
        name: str,
        load_balancer: str,
        subject: str,
        act: Callable[[Moment], None],
        deadline_seconds: float,
    ) -> None:
        """
        One change of a load balancer, until it is no longer pending.
        """
        attempted = f"{name} {subject}"

        def settled() -> bool | None:
            record = named(
                self.world.load_balancers, load_balancer, "load balancer", attempted
            )
            if record.status == "ERROR":
                raise ResourceFailed(attempted, f"{load_balancer} is in ERROR")
            return record.status == "ACTIVE" or None

        with self.balancer_lock(load_balancer):
            deadline = self.deadline(deadline_seconds)
            self.wait(attempted, deadline, settled)
            self.call(name, subject, act)
            self.wait(attempted, deadline, settled)


def _create(
    world: World, spec: LoadBalancerSpec, moment: Moment, attempted: str
) -> None:
    network = named(world.networks, spec.network, "network", attempted)
    if world.left().load_balancers == 0:
        raise QuotaExceeded(
            attempted, "the project's quota of load balancers is used up"
        )
    record = LoadBalancerRecord(
        id=world.new_id("lb"),
        name=spec.name,
        owner=spec.owner,
        network=spec.network,
        vip_address=network.take() or "",
    )
    _fill(world, record, spec)
    world.load_balancers[spec.name] = record
    _pend(world, record, moment, world.scenario.speeds.load_balancer, "PENDING_CREATE")


def _bring_up_to_date(
    world: World, record: LoadBalancerRecord, spec: LoadBalancerSpec, moment: Moment
) -> None:
    before = ({p.spec for p in record.pools.values()}, dict(record.listeners))
    tampered, record.tampered = record.tampered, {}
    _fill(world, record, spec)
    record.owner = spec.owner
    if tampered or before != (
        {p.spec for p in record.pools.values()},
        record.listeners,
    ):
        _pend(world, record, moment, world.scenario.speeds.change)


def _fill(world: World, record: LoadBalancerRecord, spec: LoadBalancerSpec) -> None:
    """
    Listeners and pools as the specification says; members stay.
    """
    pools = {}
    for pool in spec.pools:
        present = record.pools.get(pool.name)
        pools[pool.name] = present or PoolRecord(world.new_id("pool"), pool)
        pools[pool.name].spec = pool
    listeners = {}
    for listener in spec.listeners:
        if listener.protocol == "PROMETHEUS" and not world.scenario.prometheus_listener:
            continue
        known = record.listeners.get(listener.name)
        number = known[0] if known else world.new_id("listener")
        listeners[listener.name] = (number, listener)
    record.pools, record.listeners = pools, listeners


def _pend(
    world: World,
    record: LoadBalancerRecord,
    moment: Moment,
    seconds: float,
    status: str = "PENDING_UPDATE",
) -> None:
    record.status = status
    failed = moment.fault is not None and moment.fault.kind is FaultKind.ERROR_STATUS

    def settle(_due: object) -> None:
        if record.status == status:
            record.status = "ERROR" if failed else "ACTIVE"

    world.agenda.book(world.after(moment.now, seconds), settle)


def _upsert(
    world: World, pool: PoolRecord, spec: MemberSpec, attempted: str
) -> MemberRecord | None:
    """
    The member as specified; None when it already is.
    """
    instance = named(world.instances, spec.instance, "instance", attempted)
    present = pool.members.get(spec.instance)
    address = instance.address or ""
    if present is None:
        present = MemberRecord(
            id=world.new_id("member"),
            instance=spec.instance,
            address=address,
            port=spec.port,
            weight=spec.weight,
            backup=spec.backup,
        )
        pool.members[spec.instance] = present
        return present
    wanted = (address, spec.port, spec.weight, spec.backup)
    if (present.address, present.port, present.weight, present.backup) == wanted:
        return None
    present.address, present.port, present.weight, present.backup = wanted
    return present


def _forget(world: World, record: LoadBalancerRecord) -> None:
    """
    It is gone, with everything in it.
    """
    if world.load_balancers.get(record.name) is not record:
        return
    del world.load_balancers[record.name]
    for pool in record.pools.values():
        for name, member in pool.members.items():
            member.epoch += 1
            world.memberships[name].discard((record.name, pool.spec.name))
    for floating in world.floating_ips.values():
        if floating.load_balancer == record.name:
            floating.load_balancer = None
    if record.network in world.networks:
        world.networks[record.network].free.append(record.vip_address)
