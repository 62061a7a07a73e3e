"""
Instances of the simulated cloud: made, restarted, deleted, read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fournines.cloud.errors import (
    CapacityMissing,
    CloudBusy,
    CloudError,
    CloudRefused,
    QuotaExceeded,
    RequestInvalid,
    ResourceFailed,
)
from fournines.cloud.protocol import KEYSTONE
from fournines.cloud.simulated import block, health, reading
from fournines.cloud.simulated.door import Door, Moment, named, ours
from fournines.cloud.simulated.faults import FaultKind
from fournines.cloud.simulated.records import Behaviour, InstanceRecord
from fournines.cloud.simulated.world import World
from fournines.model import sealing
from fournines.model.inventory import Instance
from fournines.model.specification import InstanceSpec

NO_HOST = "No valid host was found. There are not enough hosts available."
"""Nova's fault text when nothing fits."""


class Instances(Door):
    """
    The part of the cloud that is Nova.
    """

    def ensure_instance(
        self, spec: InstanceSpec, *, deadline_seconds: float
    ) -> Instance:
        deadline = self.deadline(deadline_seconds)
        attempted = f"creating instance {spec.name}"

        def act(moment: Moment) -> None:
            present = self.world.instances.get(spec.name)
            if present is None or ours(present, attempted).status in {
                "ERROR",
                "DELETING",
            }:
                if present is not None:
                    _forget(self.world, present, moment.now)
                _create(self.world, spec, moment, attempted)
            elif present.status == "SHUTOFF":
                _start(self.world, present, moment.now)

        self.call("ensure_instance", spec.name, act)
        made = self.wait(attempted, deadline, lambda: self._arrived(spec.name))
        self.wait(attempted, deadline, lambda: self._with_volumes(spec, attempted))
        return made

    def _with_volumes(self, spec: InstanceSpec, attempted: str) -> bool | None:
        """
        One that stood before has its volumes taken from whoever holds them.
        """
        record = named(self.world.instances, spec.name, "instance", attempted)
        lacks = [
            n
            for n in spec.volumes
            if named(self.world.volumes, n, "volume", attempted).attached_to
            != record.id
        ]
        if not lacks:
            return True
        later = block.free_at(self.world, lacks, self.clock.now())
        if later is not None:
            self.world.agenda.book(later, lambda _due: None)
            return None
        fault = block.attach(self.world, lacks, record.id)
        if fault:
            raise ResourceFailed(attempted, fault)
        return True

    def _arrived(self, name: str) -> Instance | None:
        attempted = f"creating instance {name}"
        record = named(self.world.instances, name, "instance", attempted)
        if record.status == "ERROR":
            fault = record.fault or "unknown fault"
            _forget(self.world, record, self.clock.now())
            kind: type[CloudError] = (
                CapacityMissing if "No valid host" in fault else ResourceFailed
            )
            raise kind(attempted, fault)
        return reading.instance(record) if record.status == "ACTIVE" else None

    def restart_instance(self, instance: str, *, deadline_seconds: float) -> None:
        deadline = self.deadline(deadline_seconds)
        attempted = f"restarting instance {instance}"

        def act(moment: Moment) -> None:
            record = named(self.world.instances, instance, "instance", attempted)
            _refuse_locked(ours(record, attempted), attempted)
            _start(self.world, record, moment.now)

        def done() -> bool | None:
            record = named(self.world.instances, instance, "instance", attempted)
            return record.status == "ACTIVE" or None

        self.call("restart_instance", instance, act)
        self.wait(attempted, deadline, done)

    def withdraw_metadata(
        self, instance: str, key: str, *, deadline_seconds: float
    ) -> None:
        assert deadline_seconds > 0
        attempted = f"withdrawing {key} from instance {instance}"

        def act(_moment: Moment) -> None:
            record = ours(
                named(self.world.instances, instance, "instance", attempted), attempted
            )
            left = {k: v for k, v in record.spec.metadata.items() if k != key}
            record.spec = record.spec.model_copy(update={"metadata": left})

        self.call("withdraw_metadata", instance, act)

    def stop_instance(self, instance: str, *, deadline_seconds: float) -> None:
        deadline = self.deadline(deadline_seconds)
        attempted = f"stopping instance {instance}"

        def act(moment: Moment) -> None:
            record = named(self.world.instances, instance, "instance", attempted)
            _refuse_locked(ours(record, attempted), attempted)
            _stop(self.world, record, moment.now)

        def done() -> bool | None:
            record = named(self.world.instances, instance, "instance", attempted)
            return record.status == "SHUTOFF" or None

        self.call("stop_instance", instance, act)
        self.wait(attempted, deadline, done)

    def delete_instance(self, instance: str, *, deadline_seconds: float) -> None:
        deadline = self.deadline(deadline_seconds)
        attempted = f"deleting instance {instance}"

        def act(moment: Moment) -> None:
            record = self.world.instances.get(instance)
            if record is None or record.status == "DELETING":
                return
            _refuse_locked(ours(record, attempted), attempted)
            record.status = "DELETING"
            record.epoch += 1
            health.changed(self.world, instance, moment.now)
            leave_later(self.world, record, moment.now)

        def gone() -> bool | None:
            return instance not in self.world.instances or None

        self.call("delete_instance", instance, act)
        self.wait(attempted, deadline, gone)

    def console(self, instance: str, lines: int = 50) -> str:
        def act(_moment: Moment) -> str:
            record = named(
                self.world.instances, instance, "instance", "reading a console"
            )
            return "\n".join(record.console[-lines:])

        return self.call("console", instance, act)


@dataclass(frozen=True, slots=True)
class _Later:
    """
    An agenda entry that only counts while the instance is still in the state it was booked in.
    """

    record: InstanceRecord
    epoch: int
    effect: Callable[[datetime], None]

    def __call__(self, due: datetime) -> None:
        if self.record.epoch == self.epoch:
            self.effect(due)


def _create(world: World, spec: InstanceSpec, moment: Moment, attempted: str) -> None:
    _check_references(world, spec, attempted)
    _check_quota(world, spec, attempted)
    host = world.host_for(spec.zone, spec.server_group)
    record = InstanceRecord(
        id=world.new_id("instance"),
        name=spec.name,
        owner=spec.owner,
        spec=spec,
        created_at=moment.now,
        zone=host.zone if host else spec.zone,
        host=host.name if host else None,
    )
    fault = moment.fault
    if host is None:
        record.fault = NO_HOST
    elif KEYSTONE in world.away:
        record.fault = "Build of instance aborted: Keystone does not answer"
    elif fault and fault.kind is FaultKind.ERROR_STATUS:
        record.fault = fault.text or "Build of instance aborted: injected"
    elif spec.port:
        held = world.ports[spec.port]
        held.attached_to, record.address = record.id, held.address
    else:
        record.address = world.networks[spec.network].take()
        if record.address is None:
            record.fault = f"No fixed IP addresses available for {spec.network}"
    if host:
        world.place(spec.name, spec.server_group, host)
    if spec.image in world.bad_images:
        record.behaviour, record.sticky = Behaviour.ERRORS, True
    world.instances[spec.name] = record
    due = world.after(moment.now, world.scenario.speeds.build)
    world.agenda.book(
        due, _Later(record, record.epoch, lambda at: _built(world, record, at))
    )


def _built(world: World, record: InstanceRecord, at: datetime) -> None:
    record.epoch += 1
    if record.fault:
        record.status = "ERROR"
        return
    later = block.free_at(world, record.spec.volumes, at)
    if later is not None:
        world.agenda.book(
            later, _Later(record, record.epoch, lambda at: _built(world, record, at))
        )
        return
    record.fault = block.attach(world, record.spec.volumes, record.id)
    if record.fault:
        record.status = "ERROR"
        return
    _boot(world, record, at)


def arrive_later(world: World, record: InstanceRecord, now: datetime) -> None:
    """
    A build that is under way ends in its time.
    """
    due = world.after(now, world.scenario.speeds.build)
    world.agenda.book(
        due, _Later(record, record.epoch, lambda at: _built(world, record, at))
    )


def leave_later(world: World, record: InstanceRecord, now: datetime) -> None:
    """
    A deletion that is under way ends in its time.
    """
    due = world.after(now, world.scenario.speeds.delete)
    world.agenda.book(due, lambda at: _forget(world, record, at))


def _boot(world: World, record: InstanceRecord, at: datetime) -> None:
    record.status = "ACTIVE"
    record.console.append(f"{at:%H:%M:%S} {record.name} booting")
    if sealing.KEY in record.spec.metadata:
        record.console.append(sealing.UNSEALED)
    record.console.extend(world.voice(record.spec))
    boot_seconds = world.scenario.speeds.boot + world.slow_boot_seconds
    record.serves_at = world.after(at, boot_seconds)
    serving = _Later(
        record, record.epoch, lambda due: health.changed(world, record.name, due)
    )
    world.agenda.book(record.serves_at, serving)
    health.changed(world, record.name, at)


def _start(world: World, record: InstanceRecord, now: datetime) -> None:
    """
    Restart: whatever is not sticky is mended by it.
    """
    on_dead_host = any(h.name == record.host and not h.up for h in world.hosts)
    if record.status == "BUILD" or on_dead_host:
        return
    record.epoch += 1
    record.status, record.serves_at = "REBOOT", None
    if not record.sticky:
        record.behaviour = Behaviour.SERVING
    health.changed(world, record.name, now)
    due = world.after(now, world.scenario.speeds.restart)
    world.agenda.book(
        due, _Later(record, record.epoch, lambda at: _boot(world, record, at))
    )


def _stop(world: World, record: InstanceRecord, now: datetime) -> None:
    """
    A polite shutdown; asking twice is asking once.
    """
    if record.status == "SHUTOFF":
        return
    record.epoch += 1
    record.serves_at = None
    health.changed(world, record.name, now)

    def stopped(_due: datetime) -> None:
        record.status = "SHUTOFF"

    due = world.after(now, world.scenario.speeds.restart)
    world.agenda.book(due, _Later(record, record.epoch, stopped))


def _forget(world: World, record: InstanceRecord, now: datetime) -> None:
    """
    It is gone: its address is free, its volumes are available, its members' checks fail.
    """
    if world.instances.get(record.name) is not record:
        return
    record.epoch += 1
    del world.instances[record.name]
    world.unplace(record.name, record.spec.server_group, record.host)
    own = record.address and not record.spec.port
    if own and record.address and record.spec.network in world.networks:
        world.networks[record.spec.network].free.append(record.address)
    for port in world.ports.values():
        if port.attached_to == record.id:
            port.attached_to = None
    block.detach(world, record.id, now)
    health.changed(world, record.name, now)


def vanish(world: World, record: InstanceRecord, now: datetime) -> None:
    """
    Somebody deleted it behind our back.
    """
    _forget(world, record, now)


def die(world: World, record: InstanceRecord, now: datetime) -> None:
    """
    The guest is gone; Nova notices later.
    """
    record.behaviour = Behaviour.KILL
    record.epoch += 1

    def notice(_due: datetime) -> None:
        record.status = "SHUTOFF"

    due = world.after(now, world.scenario.speeds.notice)
    world.agenda.book(due, _Later(record, record.epoch, notice))


def _check_references(world: World, spec: InstanceSpec, attempted: str) -> None:
    images = {i.name: i for i in world.images.values() if i.status == "active"}
    flavors = {flavor.name: flavor for flavor in world.scenario.flavors}
    named(images, spec.image, "image", attempted)
    named(flavors, spec.flavor, "flavor", attempted)
    named(world.networks, spec.network, "network", attempted)
    for group in spec.security_groups:
        named(world.security_groups, group, "security group", attempted)
    for volume in spec.volumes:
        named(world.volumes, volume, "volume", attempted)
    if spec.port:
        port = named(world.ports, spec.port, "port", attempted)
        if port.attached_to is not None:
            raise CloudBusy(attempted, f"port {spec.port} is in use")
    if spec.server_group:
        named(world.server_groups, spec.server_group, "server group", attempted)
    if spec.zone and spec.zone not in world.scenario.zones:
        raise RequestInvalid(attempted, f"there is no availability zone {spec.zone}")


def _check_quota(world: World, spec: InstanceSpec, attempted: str) -> None:
    left = world.left()
    flavor = next(f for f in world.scenario.flavors if f.name == spec.flavor)
    wanted = (("instances", 1), ("cores", flavor.vcpus), ("ram_mb", flavor.ram_mb))
    for what, amount in wanted:
        if -1 < getattr(left, what) < amount:
            raise QuotaExceeded(attempted, f"the project's quota of {what} is used up")


def _refuse_locked(record: InstanceRecord, attempted: str) -> None:
    if record.locked:
        raise CloudRefused(
            attempted, "the instance is locked", "Whoever locked it may unlock it"
        )
