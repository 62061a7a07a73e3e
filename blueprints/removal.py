"""
What is ours and no longer asked for goes; volumes go only when a person asked for exactly that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from blueprints import drafting
from blueprints.fragment import Fragment, joined
from blueprints.observed import Observed
from blueprints.retiring import retire
from fournines.model.desired import Platform, Service
from fournines.model.inventory import Instance, Inventory, Resource
from fournines.model.refusal import Reason, Refusal
from fournines.planning.steps import Step

R = TypeVar("R", bound=Resource)

_DRAIN_SECONDS = 2.0


def orphans(service: Service, observed: Observed, *, after: Sequence[str]) -> Fragment:
    """
    What a service has and should not have (any more): groups, addresses, balancers.

    Args:
        service: What should be.
        observed: What is.
        after: Steps after which what should be serves.
    """
    wanted = {group.name for group in service.groups}
    pieces: list[Fragment] = []
    for group in observed.groups_of(service.name):
        if group in wanted:
            continue
        instances = observed.instances(service.name, group)
        locked = _locked(instances)
        if locked:
            return Fragment(refusals=locked)
        pieces.append(
            retire(
                instances,
                observed,
                drain_seconds=_DRAIN_SECONDS,
                needs=after,
                label=f"orphans-{group}",
                why=f"{service.name} has no group {group} any more",
            )
        )
    gone = joined(pieces)
    keep = _names_of(service)
    rest = _deletes(
        observed.inventory,
        lambda r: _of(r, service.name) and r.name not in keep,
        needs=(*after, *gone.ended),
        why=f"{service.name} does not ask for it any more",
    )
    return joined((gone, rest))


def remove_service(service: str, desired: Platform, observed: Observed) -> Fragment:
    """
    A service that nobody asks for any more: all of it but its volumes, which a person must give up.
    """
    inventory = observed.inventory
    keep = _desired_names(desired)
    whole = teardown(
        inventory,
        lambda r: _of(r, service) and r.name not in keep,
        why=f"the platform has no service {service} any more",
        with_volumes=False,
    )
    kept = tuple(
        Refusal(
            reason=Reason.APPROVAL,
            subject=volume.name,
            detail=f"volume {volume.name} of the former service {service} may hold "
            f"data and stays; `fournines destroy {service}` deletes it",
        )
        for volume in inventory.volumes
        if _of(volume, service)
    )
    return Fragment(whole.steps, (*whole.refusals, *kept), ended=whole.ended)


def teardown(
    inventory: Inventory,
    ours: Callable[[Resource], bool],
    *,
    why: str,
    with_volumes: bool,
) -> Fragment:
    """
    Everything that `ours` says yes to: addresses, then load balancers, then instances, then what they used.
    """
    locked = _locked(_found(inventory.instances, ours))
    if locked:
        return Fragment(refusals=locked)
    outside = _outside(inventory, ours, needs=(), why=why)
    instances = [
        drafting.delete_instance(i.name, needs=outside.ended, why=why)
        for i in _found(inventory.instances, ours)
    ]
    used_by = tuple(step.id for step in instances) or outside.ended
    ports = [
        drafting.delete_resource("port", p.name, needs=used_by, why=why)
        for p in _found(inventory.ports, ours)
    ]
    guarded = tuple(step.id for step in ports) or used_by
    rest: list[Step] = [*ports, *_used(inventory, ours, guarded, why)]
    if with_volumes:
        rest += (
            drafting.delete_resource("volume", v.name, needs=used_by, why=why)
            for v in _found(inventory.volumes, ours)
        )
    below = (*outside.ended, *(step.id for step in (*instances, *rest)))
    networks = [
        drafting.delete_resource("network", n.name, needs=below, why=why)
        for n in _found(inventory.networks, ours)
    ]
    steps = (*outside.steps, *instances, *rest, *networks)
    return Fragment(steps=steps, ended=tuple(step.id for step in steps))


def owned_by(platform: str, service: str | None) -> Callable[[Resource], bool]:
    """
    Whether a resource carries the mark of a platform, or of one service in it.
    """

    def ours(resource: Resource) -> bool:
        owner = resource.owner
        if owner is None or owner.platform != platform:
            return False
        return service is None or owner.service == service

    return ours


def former_services(desired: Platform, inventory: Inventory) -> tuple[str, ...]:
    """
    Services that have resources and are not asked for.
    """
    known = {service.name for service in desired.services}
    keep = _desired_names(desired)
    resources: tuple[Resource, ...] = (
        *inventory.instances,
        *inventory.load_balancers,
        *inventory.floating_ips,
        *inventory.security_groups,
        *inventory.server_groups,
        *inventory.volumes,
        *inventory.ports,
    )
    found = {
        r.owner.service
        for r in resources
        if r.owner and r.owner.service and r.name not in keep
    }
    return tuple(sorted(found - known))


def _locked(instances: Sequence[Instance]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(
            reason=Reason.LOCKED,
            subject=i.name,
            detail=f"{i.name} is to go, but it is locked, so nothing is torn down; "
            f"`openstack server unlock {i.name}` gives it back",
        )
        for i in instances
        if i.locked
    )


def _of(resource: Resource, service: str) -> bool:
    return resource.owner is not None and resource.owner.service == service


def _found(resources: Sequence[R], ours: Callable[[Resource], bool]) -> list[R]:
    return sorted((r for r in resources if ours(r)), key=lambda r: r.name)


def _outside(
    inventory: Inventory,
    ours: Callable[[Resource], bool],
    *,
    needs: Sequence[str],
    why: str,
) -> Fragment:
    addresses = [
        drafting.delete_resource("floating-ip", a.name, needs=needs, why=why)
        for a in _found(inventory.floating_ips, ours)
    ]
    before = tuple(step.id for step in addresses) or needs
    balancers = [
        drafting.delete_resource("load-balancer", b.name, needs=before, why=why)
        for b in _found(inventory.load_balancers, ours)
    ]
    steps = (*addresses, *balancers)
    return Fragment(steps=steps, ended=tuple(step.id for step in steps))


def _used(
    inventory: Inventory,
    ours: Callable[[Resource], bool],
    needs: Sequence[str],
    why: str,
) -> Iterator[Step]:
    for guard in _found(inventory.security_groups, ours):
        yield drafting.delete_resource(
            "security-group", guard.name, needs=needs, why=why
        )
    for spreader in _found(inventory.server_groups, ours):
        yield drafting.delete_resource(
            "server-group", spreader.name, needs=needs, why=why
        )


def _deletes(
    inventory: Inventory,
    ours: Callable[[Resource], bool],
    *,
    needs: Sequence[str],
    why: str,
) -> Fragment:
    outside = _outside(inventory, ours, needs=needs, why=why)
    used = tuple(_used(inventory, ours, needs, why))
    steps = (*outside.steps, *used)
    return Fragment(steps=steps, ended=tuple(step.id for step in steps))


def _desired_names(desired: Platform) -> frozenset[str]:
    """
    Server groups carry no mark: whose they are is read from their name, which can be wrong when names hold hyphens.
    """
    return frozenset(n for service in desired.services for n in _names_of(service))


def _names_of(service: Service) -> frozenset[str]:
    """
    The names of what a service shares among its groups.
    """
    return frozenset(
        (
            *(spec.name for spec in service.load_balancers),
            *(spec.name for spec in service.floating_ips),
            *(g.security_group.name for g in service.groups if g.security_group),
            *(g.server_group.name for g in service.groups if g.server_group),
        )
    )
