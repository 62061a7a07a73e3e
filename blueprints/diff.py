"""
Desired x observed -> plan. The heart of deploy, scale, roll, reconcile and destroy. Pure.

Invariants, held by laws in tests/decide:
- what is as it should be gives an empty plan;
- performing a plan and planning again gives an empty plan;
- no plan takes a pool below `min_healthy`, nor makes more than `surge` instances above what is there;
- what does not carry our mark is never named by a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from blueprints import admittance, removal, strangers
from blueprints.fragment import Fragment, joined
from blueprints.identity import unwanted_ports
from blueprints.observed import Observed
from blueprints.service_plan import plan_service
from fournines.model.cluster import ClusterView
from fournines.model.contents import Contents
from fournines.model.desired import Platform, Service
from fournines.model.inventory import Inventory
from fournines.model.refusal import Reason, Refusal
from fournines.planning import plan as planning
from fournines.planning.costs import deadline_seconds
from fournines.planning.plan import Plan, Purpose
from fournines.planning.pools import Place, asks_for_one_role
from fournines.planning.steps import EnsureNetwork


def plan_platform(
    desired: Platform,
    inventory: Inventory,
    *,
    only: str | None = None,
    purpose: Purpose = Purpose.DEPLOY,
    drained: frozenset[str] = frozenset(),
    views: Mapping[tuple[str, str], ClusterView] | None = None,
    contents: Mapping[tuple[str, str], Contents] | None = None,
    insist: bool = False,
) -> Plan:
    """
    What is to be done so that the platform is as desired.

    Args:
        desired: What should be.
        inventory: What is: the whole platform, or at least the network and the service `only`.
        only: One service (and the network it needs); None takes all, and removes services that are not asked for.
        purpose: What the plan is for.
        drained: Instances that open healing cases hold; nothing is done in their slots.
        views: What stateful groups say of themselves, by service and group. From one that is not in it nothing is taken away.
        contents: What stateful groups hold that is not as asked for, by service and group; those that could not be asked are not in it.
        insist: A person takes the risk that a size brings.

    Raises:
        KeyError: There is no service `only`.
    """
    services = (desired.service(only),) if only else desired.services
    taken = strangers.in_the_way(desired, services, inventory)
    if taken:
        # Nothing is touched while somebody else's resource stands where ours should be.
        return _plan(purpose, desired.name, only, inventory, Fragment(refusals=taken))
    observed = Observed(
        inventory, views=views, contents=contents, by_role=_by_role(desired)
    )
    network = _network(desired, observed)
    pieces = [network]
    ready: dict[str, tuple[str, ...]] = {}
    for service in in_order(services):
        after = [i for name in service.depends_on for i in ready.get(name, ())]
        made = plan_service(
            service,
            observed,
            drained=drained,
            network_needs=network.ready,
            after=after,
            insist=insist,
            # Restarting is a person's wish: what waits for one may wait for reasons that a restart does not end.
            may_restart=purpose is not Purpose.RECONCILE,
            # So is an outage: the timer insists on sizes, which were taken before, and on no outage.
            may_interrupt=insist and purpose is not Purpose.RECONCILE,
        )
        before = [step for piece in pieces for step in piece.steps]
        shut_out = admittance.refused(service, desired, observed, made.steps, before)
        if shut_out:
            pieces.append(Fragment(refusals=shut_out))
            continue
        ready[service.name] = made.ready
        gone = removal.orphans(service, observed, after=made.ready)
        ports = unwanted_ports(service, observed, (*made.steps, *gone.steps))
        pieces += [made, gone, Fragment(steps=tuple(ports))]
    if only is None:
        pieces += (
            removal.remove_service(name, desired, observed)
            for name in removal.former_services(desired, inventory)
        )
    return _plan(purpose, desired.name, only, inventory, joined(pieces))


def plan_destroy(
    platform: str, inventory: Inventory, *, service: str | None = None
) -> Plan:
    """
    Delete whatever carries the mark of a platform, or of one service in it, volumes included.
    """
    ours = removal.owned_by(platform, service)
    whole = removal.teardown(
        inventory, ours, why="it is to be destroyed", with_volumes=True
    )
    return _plan(Purpose.DESTROY, platform, service, inventory, whole)


def floors(desired: Platform) -> dict[str, int]:
    """
    Per pool's name, how many members must serve at any moment: for the plan's linter. Pools that ask for a role have no such number: the
    service itself moves its roles.
    """
    return {
        membership.pool: group.healing.min_healthy
        for service in desired.services
        for group in service.groups
        for membership in group.memberships
        if membership.role is None
    }


def _by_role(desired: Platform) -> frozenset[Place]:
    return frozenset(
        Place(membership.load_balancer, membership.pool)
        for service in desired.services
        for group in service.groups
        for membership in group.memberships
        if asks_for_one_role(group.memberships)
    )


def in_order(services: Iterable[Service]) -> tuple[Service, ...]:
    """
    Services after those they depend on, otherwise as given. Dependencies that are not among them are taken as met.

    Raises:
        ValueError: They depend on each other; compile refuses such platforms before.
    """
    waiting = list(services)
    done: list[Service] = []
    while waiting:
        open_names = {service.name for service in waiting}
        free = [s for s in waiting if not open_names & set(s.depends_on)]
        if not free:
            raise ValueError(f"services depend on each other: {sorted(open_names)}")
        done += free
        waiting = [s for s in waiting if s not in free]
    return tuple(done)


def _network(desired: Platform, observed: Observed) -> Fragment:
    spec = desired.network
    found = observed.networks.get(spec.name)
    if found is not None and found.subnet_id and found.router_id:
        return Fragment(refusals=tuple(_readdressed(spec.cidr, found.cidr, spec.name)))
    step = EnsureNetwork(
        id=f"ensure-network/{spec.name}",
        deadline_seconds=deadline_seconds("ensure-network"),
        why="it was never finished" if found else "it is missing",
        spec=spec,
    )
    return Fragment(steps=(step,), ready=(step.id,))


def _readdressed(wanted: str | None, found: str | None, name: str) -> Iterator[Refusal]:
    if wanted and found and wanted != found:
        yield Refusal(
            reason=Reason.IMMUTABLE,
            subject=name,
            detail=f"network {name} has the addresses {found} and should have {wanted}; "
            "they are not changed in place, deploy the platform anew",
        )


def _plan(
    purpose: Purpose,
    platform: str,
    service: str | None,
    inventory: Inventory,
    whole: Fragment,
) -> Plan:
    return planning.make(
        purpose=purpose,
        platform=platform,
        service=service,
        made_at=inventory.at,
        steps=whole.steps,
        refusals=whole.refusals,
    )
