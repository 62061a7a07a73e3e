"""
What stateful services hold and run with: read for the planner, and made by the steps about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from blueprints import admittance
from fournines import log
from fournines.cloud.errors import CloudError, RequestInvalid
from fournines.model.contents import Contents
from fournines.model.desired import Platform, Service
from fournines.model.inventory import Inventory
from fournines.planning.steps import ApplyContents, RestartMember, SwitchOver
from tasks import membership
from tasks.operators import ClusterRefused, ClusterSilent
from tasks.workshop import Workshop

_log = log.get("contents")


def read(
    workshop: Workshop, desired: Platform, inventory: Inventory, only: str | None = None
) -> dict[tuple[str, str], Contents]:
    """
    What the stateful groups of a platform, or of one service and those it logs in to, hold that is not as asked for; whoever cannot be asked is left out.
    """
    asked = {only, *admittance.services_of(desired.service(only))} if only else None
    found: dict[tuple[str, str], Contents] = {}
    for service in desired.services:
        if asked is not None and service.name not in asked:
            continue
        for group, ward in _holding(workshop, service, inventory):
            seen = _read(ward, inventory)
            if seen is not None:
                found[service.name, group] = seen
    return found


def require(
    workshop: Workshop,
    service: Service,
    inventory: Inventory,
    found: Mapping[tuple[str, str], Contents],
) -> None:
    """
    What was read is all there is to know: whoever goes on relies on it.

    Raises:
        ClusterSilent: A group that holds something could not be asked.
        ClusterRefused: It does not take what is asked for.
    """
    for group, _ in _holding(workshop, service, inventory):
        one = found.get((service.name, group))
        doing = f"asking {service.name} what it holds"
        if one is None:
            raise ClusterSilent(
                doing, "it cannot be asked now; try again when it answers"
            )
        if one.opposed:
            raise ClusterRefused(doing, one.opposed)


def _holding(
    workshop: Workshop, service: Service, inventory: Inventory
) -> Iterator[tuple[str, membership.Ward]]:
    """
    The groups of a service that hold something and are there, by name, with who speaks for them.
    """
    for group in service.groups:
        ward = membership.ward(workshop, service, group)
        is_there = inventory.of_group(service.name, group.name)
        if ward is not None and ward.rules.holds and is_there:
            yield group.name, ward


def _read(ward: membership.Ward, inventory: Inventory) -> Contents | None:
    try:
        return Contents(changes=ward.operator.drift(ward.cluster(inventory)))
    except ClusterRefused as error:
        return Contents(opposed=error.detail)
    except CloudError as error:
        _log.warning("contents_unknown", service=ward.service.name, error=str(error))
        return None


def apply(step: ApplyContents, workshop: Workshop) -> tuple[str, ...]:
    """
    Bring what a service holds to what is asked for; what was changed, one clause each.

    Raises:
        CloudError: It cannot be asked, or said no.
    """
    found = membership.ward_of(step, workshop)
    inventory = workshop.cloud.serving(step.platform, step.service)
    said = found.operator.apply(found.cluster(inventory))
    for clause in said:
        _log.info("applied", service=step.service, change=clause)
    return said


def switch_over(step: SwitchOver, workshop: Workshop) -> str:
    """
    Have another member lead, when the rules allow to do without the one that does; who leads now.

    Raises:
        ClusterRefused: They do not, or the service said no.
        CloudError: It cannot be asked.
    """
    found = membership.ward_of(step, workshop)
    inventory = workshop.cloud.serving(step.platform, step.service)
    cluster = found.cluster(inventory)
    seen = found.operator.view(cluster)
    if seen.leader is not None and seen.leader != step.to:
        refusal = found.rules.may_leave(seen, seen.leader, workshop.clock.now())
        if refusal is not None:
            raise ClusterRefused(f"switching {cluster.label} over", refusal.detail)
    return found.operator.switchover(cluster, step.to)


def restart(step: RestartMember, workshop: Workshop) -> None:
    """
    Restart the server in a member, when its rules allow it.

    Raises:
        ClusterRefused: They do not, or the service said no.
        CloudError: It cannot be asked.
    """
    found = membership.ward_of(step, workshop)
    inventory = workshop.cloud.serving(step.platform, step.service)
    cluster = found.cluster(inventory)
    if cluster.instance(step.slot) is None:
        raise RequestInvalid(f"restarting {step.slot}", "it has no instance")
    seen = found.operator.view(cluster)
    alone = len(seen.members) == 1
    refusal = found.rules.may_leave(seen, step.slot, workshop.clock.now())
    if refusal is not None and not alone:
        raise ClusterRefused(f"restarting {step.slot}", refusal.detail)
    found.operator.restart(cluster, step.slot)
