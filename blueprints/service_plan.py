"""
One service: what its groups share (security groups, server groups, load balancers, floating IPs), then its groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from blueprints import lifecycles
from blueprints.drafting import ids
from blueprints.editions import certified
from blueprints.fragment import Fragment, joined
from blueprints.group_plan import plan_group
from blueprints.guards import (
    guard_steps,
    narrowed,
    outdated,
    server_group_changed,
)
from blueprints.observed import Observed
from blueprints.scope import Scope
from blueprints.stateful import plan_stateful
from fournines.model import names, references, traits
from fournines.model.desired import Group, Service
from fournines.model.inventory import Listener, LoadBalancer, Pool
from fournines.model.references import Kind
from fournines.model.refusal import Reason, Refusal
from fournines.model.specification import LoadBalancerSpec
from fournines.planning.costs import deadline_seconds
from fournines.planning.steps import (
    EnsureFloatingIp,
    EnsureInstance,
    EnsureLoadBalancer,
    PrepareLeave,
    Step,
)

_LEAVING = "PENDING_DELETE"
_COMING = "PENDING_CREATE"
_BROKEN = "ERROR"


def plan_service(
    service: Service,
    observed: Observed,
    *,
    drained: frozenset[str],
    network_needs: Sequence[str],
    after: Sequence[str],
    insist: bool = False,
    may_restart: bool = True,
    may_interrupt: bool = False,
) -> Fragment:
    """
    What one service needs.

    Args:
        service: What should be.
        observed: What is.
        drained: Instances that a healing case holds.
        network_needs: Steps that make the network, when it is made in this plan.
        after: Steps after which the services this one depends on serve.
        insist: A person takes the risk that a size brings.
        may_restart: Members are restarted for settings that need it.
        may_interrupt: A person takes the outage that replacing an only member is.
    """
    if broken := tuple(_broken_balancers(service, observed)):
        return Fragment(refusals=broken)
    balancers = tuple(_balancer_steps(service, observed, network_needs))
    balancer_ids = {step.spec.name: step.id for step in balancers}
    addresses = tuple(_address_steps(service, observed, balancer_ids))
    pieces = [Fragment(steps=(*balancers, *addresses))]
    asked: dict[str, tuple[str, ...]] = {}
    for group in service.groups:
        widen = bool(outdated(service, group, observed))
        guards = tuple(guard_steps(group, observed, widen=widen))
        scope = Scope(
            service=service,
            group=group,
            observed=observed,
            drained=drained,
            shared_needs=ids(
                (
                    *network_needs,
                    *(step.id for step in guards),
                    *_told_of(group, balancers, addresses),
                    *_neighbours(service, group, observed),
                )
            ),
            balancer_needs=balancer_ids,
            insist=insist,
            may_restart=may_restart,
            may_interrupt=may_interrupt,
        )
        rules = lifecycles.of(service, group)
        planned = plan_group(scope) if rules is None else plan_stateful(scope, rules)
        planned = _once_answered(service, group, planned, asked)
        asked[group.name] = planned.ended
        narrow = tuple(narrowed(scope, planned))
        pieces += [
            Fragment(guards, tuple(server_group_changed(group, observed))),
            planned,
            Fragment(steps=narrow),
        ]
    whole = joined(pieces)
    outside = tuple(step.id for step in (*balancers, *addresses))
    return Fragment(
        steps=tuple(_after(step, after) for step in whole.steps),
        refusals=whole.refusals,
        ready=(*whole.ready, *outside),
        ended=whole.ended,
    )


def _told_of(
    group: Group,
    balancers: Sequence[EnsureLoadBalancer],
    addresses: Sequence[EnsureFloatingIp],
) -> Iterator[str]:
    """
    Steps that make the ways into the service which a group's instances are told of: by reference, or in their certificates.
    """
    named = references.names(group.user_data, Kind.VIP)
    every = certified(group)
    yield from (one.id for one in balancers if every or one.spec.name in named)
    yield from (one.id for one in addresses if every)


def _once_answered(
    service: Service, group: Group, planned: Fragment, asked: dict[str, tuple[str, ...]]
) -> Fragment:
    """
    Members that ask another group of their service (workers their controller) leave once that one is done with.
    """
    needs = tuple(
        need
        for other in service.groups
        if other.name != group.name and _names_slot_of(service, group, other)
        for need in asked.get(other.name, ())
    )
    if not needs:
        return planned
    steps = tuple(
        step.model_copy(update={"needs": ids((*step.needs, *needs))})
        if isinstance(step, PrepareLeave)
        else step
        for step in planned.steps
    )
    return replace(planned, steps=steps)


def _names_slot_of(service: Service, group: Group, other: Group) -> bool:
    named = references.names(group.user_data, Kind.ADDRESS)
    slots = (
        names.slot(service.platform, service.name, other.name, n)
        for n in range(other.count)
    )
    return any(slot in named for slot in slots)


def _neighbours(service: Service, group: Group, observed: Observed) -> Iterator[str]:
    """
    Steps that make the ports of other groups whose addresses a group's instances are told.
    """
    named = set(references.names(group.user_data, Kind.ADDRESS))
    for other in service.groups:
        if other.name == group.name or not other.is_ordinal:
            continue
        slots = (service.port(other, n).name for n in range(other.count))
        yield from (
            f"ensure-port/{slot}"
            for slot in slots
            if slot in named and slot not in observed.ports
        )


def _after(step: Step, dependencies: Sequence[str]) -> Step:
    """
    Instances of a service begin when what it depends on serves.
    """
    if not dependencies or not isinstance(step, EnsureInstance):
        return step
    return step.model_copy(update={"needs": ids((*step.needs, *dependencies))})


def _broken_balancers(service: Service, observed: Observed) -> Iterator[Refusal]:
    for spec in service.load_balancers:
        found = observed.load_balancers.get(spec.name)
        if found is None:
            continue
        if found.provisioning_status == _BROKEN:
            yield Refusal(
                reason=Reason.FAILED,
                subject=spec.name,
                detail=f"load balancer {spec.name} is in ERROR and takes no change; "
                f"`openstack loadbalancer failover {spec.name}` repairs it, deleting "
                "it lets the next deploy make it anew",
            )
        elif found.provisioning_status == _LEAVING:
            yield Refusal(
                reason=Reason.BUSY,
                subject=spec.name,
                detail=f"load balancer {spec.name} is being deleted; "
                "plan again when it is gone",
            )


def _balancer_steps(
    service: Service, observed: Observed, network_needs: Sequence[str]
) -> Iterator[EnsureLoadBalancer]:
    for spec in service.load_balancers:
        why = _balancer_lacks(spec, observed.load_balancers.get(spec.name))
        if why:
            yield EnsureLoadBalancer(
                id=f"ensure-load-balancer/{spec.name}",
                needs=tuple(network_needs),
                deadline_seconds=deadline_seconds("ensure-load-balancer"),
                why=why,
                spec=spec,
            )


def _balancer_lacks(spec: LoadBalancerSpec, found: LoadBalancer | None) -> str:
    """
    Why a load balancer is to be made or changed; empty when it is as it should be.
    """
    if found is None:
        return "it is missing"
    if found.provisioning_status == _COMING:
        return "it was never finished"
    if found.owner and found.owner.digest != spec.owner.digest:
        return "its specification changed"
    here = {listener.name for listener in found.listeners}
    here |= {pool.name for pool in found.pools}
    # Providers without a PROMETHEUS listener are served too: there its absence changes nothing.
    wanted = {
        listener.name
        for listener in spec.listeners
        if not (found.unmeasured and listener.protocol == "PROMETHEUS")
    }
    wanted |= {pool.name for pool in spec.pools}
    lacking = sorted(wanted - here)
    if lacking:
        return f"it lacks {', '.join(lacking)}"
    return "; ".join(_set_otherwise(spec, found))


def _set_otherwise(spec: LoadBalancerSpec, found: LoadBalancer) -> Iterator[str]:
    """
    What somebody set otherwise, part by part.
    """
    should = {one.name: traits.of_listener(one) for one in spec.listeners}
    should |= {one.name: traits.of_pool(one) for one in spec.pools}
    parts: list[Listener | Pool] = [*found.listeners, *found.pools]
    for part in parts:
        changed = traits.differing(should.get(part.name, {}), part.traits)
        if changed:
            yield f"{part.name}: {changed}"


def _address_steps(
    service: Service, observed: Observed, balancer_ids: dict[str, str]
) -> Iterator[EnsureFloatingIp]:
    for spec in service.floating_ips:
        found = observed.floating_ips.get(spec.name)
        balancer = observed.load_balancers.get(spec.load_balancer)
        vip_port = balancer.vip_port_id if balancer else None
        if found is None:
            why = "it is missing"
        elif found.port_id is None or balancer is None:
            why = "it leads nowhere"
        elif vip_port and found.port_id != vip_port:
            why = "it leads elsewhere"
        else:
            continue
        need = balancer_ids.get(spec.load_balancer)
        yield EnsureFloatingIp(
            id=f"ensure-floating-ip/{spec.name}",
            needs=(need,) if need else (),
            deadline_seconds=deadline_seconds("ensure-floating-ip"),
            why=why,
            spec=spec,
        )
