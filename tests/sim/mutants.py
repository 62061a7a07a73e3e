"""
Healers that are spoiled on purpose, each in one way: what the laws are for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fournines.model.inventory import Inventory
from fournines.model.ownership import Owner
from fournines.model.probing import Answer, ProbeResult, Scheme
from fournines.model.specification import InstanceSpec, VolumeSpec
from fournines.store.protocol import Lease, LeaseHeld
from tests.sim.healers import SimHealer
from tests.sim.town import PLATFORM, WatchedCloud, slot_of


class Around:
    """
    An object with some of its calls replaced.
    """

    def __init__(self, target: Any, **calls: Callable[..., Any]) -> None:
        self._target = target
        self.__dict__.update(calls)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def _rightless(call: Callable[..., Any]) -> Callable[..., Any]:
    def without(*args: Any, rights: object = (), **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return without


def no_fencing(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    Nobody looks at a lease again once it was had.
    """
    store: Any = healer.workshop.store
    leases, journal, cases = store.leases, store.journal, store.cases

    def renew(lease: Lease, *, ttl_seconds: float) -> Lease:
        try:
            return leases.renew(lease, ttl_seconds=ttl_seconds)
        except LeaseHeld:
            return lease

    store.leases = Around(leases, renew=renew)
    names = ("open_plan", "intend", "finish", "close_plan")
    store.journal = Around(
        journal, **{name: _rightless(getattr(journal, name)) for name in names}
    )
    store.cases = Around(cases, put=_rightless(cases.put))


def no_leases(healer: SimHealer, cloud: WatchedCloud) -> None:
    """
    Everybody gets every lease.
    """
    no_fencing(healer, cloud)
    store: Any = healer.workshop.store
    leases = store.leases

    def acquire(name: str, **asked: Any) -> Lease:
        try:
            return leases.acquire(name, **asked)
        except LeaseHeld:
            return leases.current(name)

    store.leases = Around(leases, acquire=acquire, release=lambda _lease: None)


def _other_limits(healer: SimHealer, **limits: Any) -> None:
    store: Any = healer.workshop.store
    registry = store.registry

    def changed(platform: Any) -> Any:
        services = tuple(
            service.model_copy(
                update={
                    "groups": tuple(
                        group.model_copy(
                            update={"healing": group.healing.model_copy(update=limits)}
                        )
                        for group in service.groups
                    )
                }
            )
            for service in platform.services
        )
        return platform.model_copy(update={"services": services})

    store.registry = Around(
        registry,
        platforms=lambda: tuple(changed(p) for p in registry.platforms()),
        platform=lambda name: (
            changed(registry.platform(name)) if registry.platform(name) else None
        ),
    )


def no_floor(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    Everybody may be taken away at once, in storms too.
    """
    _other_limits(healer, min_healthy=0, storm_unhealthy_min=99)


def no_disruption_limit(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    As many healings at once as there are cases.
    """
    store: Any = healer.workshop.store
    registry = store.registry

    def changed(platform: Any) -> Any:
        return platform and platform.model_copy(update={"disruptions_max": 99})

    store.registry = Around(
        registry,
        platforms=lambda: tuple(changed(p) for p in registry.platforms()),
        platform=lambda name: changed(registry.platform(name)),
    )


def imagination(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    Absent answers are taken for bad ones at every other address, and for good ones elsewhere.
    """
    real = healer.eyes.probe

    def probe(
        address: str, port: int, path: str, *, timeout_ms: int, scheme: Scheme = "http"
    ) -> ProbeResult:
        seen = real(address, port, path, timeout_ms=timeout_ms, scheme=scheme)
        if seen.answer is Answer.UNREACHABLE:
            status = 500 if int(address.rpartition(".")[2]) % 2 else 200
            return seen.model_copy(update={"answer": Answer.STATUS, "status": status})
        return seen

    healer.eyes.probe = probe  # type: ignore[method-assign]


def greed(healer: SimHealer, cloud: WatchedCloud) -> None:
    """
    What somebody else made is taken for ours.
    """
    workshop: Any = healer.workshop
    real = workshop.cloud.inventory

    def inventory(
        platform: str, service: str | None = None, *, closely: bool = False
    ) -> Inventory:
        seen: Inventory = real(platform, service, closely=closely)
        mine = next(iter(seen.instances), None)
        if mine is None or mine.owner is None:
            return seen
        owner = Owner(**mine.owner.model_dump() | {"slot": 99})
        stolen = mine.model_copy(
            update={"name": "somebodys-shop-web-0-g1", "owner": owner}
        )
        return seen.model_copy(update={"instances": (*seen.instances, stolen)})

    workshop.cloud.inventory = inventory


def sloth(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    Deleting is said and not done.
    """
    workshop: Any = healer.workshop
    workshop.cloud.delete_instance = lambda *_args, **_kwargs: None


def forgetfulness(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    Cases of the dead are nobody's: none is adopted, and no alert reminds of them.
    """
    healer.beds.adopt = lambda: 0  # type: ignore[method-assign]


def hoarding(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    Whoever is built gets a volume of its own.
    """
    workshop: Any = healer.workshop
    real = workshop.cloud.ensure_volume

    def ensure_volume(spec: VolumeSpec, **asked: Any) -> Any:
        return real(spec.model_copy(update={"name": f"{spec.name}-again"}), **asked)

    workshop.cloud.ensure_volume = ensure_volume


def nostalgia(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    What was asked for once is asked for still.
    """
    store: Any = healer.workshop.store
    registry = store.registry
    once: dict[str, Any] = {}

    def first(platform: Any) -> Any:
        return platform and once.setdefault(platform.name, platform)

    store.registry = Around(
        registry,
        platforms=lambda: tuple(first(p) for p in registry.platforms()),
        platform=lambda name: first(registry.platform(name)),
    )


def attachment(_healer: SimHealer, cloud: WatchedCloud) -> None:
    """
    Data that a person destroys is said to be gone, and is not.
    """
    spoiled: Any = cloud
    spoiled.delete_volume = lambda *_args, **_kwargs: None


def tidiness(healer: SimHealer, cloud: WatchedCloud) -> None:
    """
    The volume of whoever is deleted goes, too.
    """
    workshop: Any = healer.workshop
    real, delete_volume = workshop.cloud.delete_instance, workshop.cloud.delete_volume

    def delete_instance(instance: str, *, deadline_seconds: float) -> None:
        real(instance, deadline_seconds=deadline_seconds)
        for volume in list(cloud.world.volumes):
            if volume.startswith(slot_of(instance)):
                delete_volume(volume, deadline_seconds=deadline_seconds)

    workshop.cloud.delete_instance = delete_instance


def thoroughness(healer: SimHealer, cloud: WatchedCloud) -> None:
    """
    A load balancer is failed over before it gets a new member.
    """
    workshop: Any = healer.workshop
    real, fail_over = (
        workshop.cloud.ensure_instance,
        workshop.cloud.failover_load_balancer,
    )

    def ensure_instance(spec: InstanceSpec, *, deadline_seconds: float) -> Any:
        balancer = f"{PLATFORM}-{spec.owner.service}-lb"
        if balancer in cloud.world.load_balancers:
            fail_over(balancer, deadline_seconds=deadline_seconds)
        return real(spec, deadline_seconds=deadline_seconds)

    workshop.cloud.ensure_instance = ensure_instance


def panic(healer: SimHealer, cloud: WatchedCloud) -> None:
    """
    Whoever restarts or deletes a member of a cluster takes its neighbours for sick, and restarts them first.
    """
    workshop: Any = healer.workshop
    restart = workshop.cloud.restart_instance

    def neighbours_first(real: Callable[..., None]) -> Callable[..., None]:
        def act(instance: str, *, deadline_seconds: float) -> None:
            cluster = slot_of(instance).rpartition("-")[0]
            for other in list(cloud.world.instances):
                is_neighbour = other.startswith(cluster) and other != instance
                if is_neighbour and cluster.startswith(f"{PLATFORM}-mail"):
                    healer.eyes.bad[other] += [cloud.clock.monotonic()] * 2
                    restart(other, deadline_seconds=deadline_seconds)
            real(instance, deadline_seconds=deadline_seconds)

        return act

    workshop.cloud.restart_instance = neighbours_first(restart)
    workshop.cloud.delete_instance = neighbours_first(workshop.cloud.delete_instance)


def deafness(healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    What a person pauses is not heard of.
    """
    store: Any = healer.workshop.store
    store.pauses = Around(store.pauses, all=lambda: ())
