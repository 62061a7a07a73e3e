"""
What stands around a group's instances: who may reach them, and how they spread over hosts.

While old and new instances serve side by side, the rules of both hold: rules widen before a roll and narrow after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blueprints.drafting import ids
from blueprints.fragment import Fragment
from blueprints.observed import Observed
from blueprints.scope import Scope
from blueprints.slot import is_dead
from fournines.model import traits
from fournines.model.desired import Group, Service, instance_digest
from fournines.model.inventory import Instance
from fournines.model.refusal import Reason, Refusal
from fournines.model.specification import SecurityGroupSpec
from fournines.planning.costs import deadline_seconds
from fournines.planning.steps import (
    DeleteInstance,
    EnsureSecurityGroup,
    EnsureServerGroup,
)


def guard_steps(
    group: Group, observed: Observed, *, widen: bool
) -> Iterator[EnsureSecurityGroup | EnsureServerGroup]:
    """
    Steps before a group's instances are made.

    Args:
        group: What should be.
        observed: What is.
        widen: Instances of another specification serve: the rules they rely on stay for now.
    """
    guard = group.security_group
    if guard is not None and _guard_lacks(guard, observed):
        yield _widened(guard) if widen else _guard_step(guard, observed, needs=())
    spreader = group.server_group
    if spreader is not None and spreader.name not in observed.server_groups:
        yield EnsureServerGroup(
            id=f"ensure-server-group/{spreader.name}",
            deadline_seconds=deadline_seconds("ensure-server-group"),
            why="it is missing",
            spec=spreader,
        )


def _guard_lacks(guard: SecurityGroupSpec, observed: Observed) -> str:
    found = observed.security_groups.get(guard.name)
    if found is None or found.owner is None:
        return "it is missing"
    if found.owner.digest != guard.owner.digest:
        return "its rules changed"
    return traits.rules_differing(guard.rules, found.rules)


def _guard_step(
    guard: SecurityGroupSpec, observed: Observed, *, needs: Sequence[str]
) -> EnsureSecurityGroup:
    return EnsureSecurityGroup(
        id=f"ensure-security-group/{guard.name}",
        needs=tuple(needs),
        deadline_seconds=deadline_seconds("ensure-security-group"),
        why=_guard_lacks(guard, observed),
        spec=guard,
    )


def _widened(guard: SecurityGroupSpec) -> EnsureSecurityGroup:
    """
    The new rules beside the old ones. Its digest is nobody's, so that an interrupted roll narrows them later.
    """
    owner = guard.owner.model_copy(update={"digest": f"{guard.owner.digest}+"})
    return EnsureSecurityGroup(
        id=f"widen-security-group/{guard.name}",
        deadline_seconds=deadline_seconds("ensure-security-group"),
        why="old and new instances serve side by side",
        spec=guard.model_copy(update={"owner": owner, "additive": True}),
    )


def narrowed(scope: Scope, planned: Fragment) -> Iterator[EnsureSecurityGroup]:
    """
    The new rules alone, once the last instance that relies on the old ones is gone.
    """
    guard = scope.group.security_group
    if guard is None or not _guard_lacks(guard, scope.observed):
        return
    deletes = {
        step.instance: step.id
        for step in planned.steps
        if isinstance(step, DeleteInstance)
    }
    old = [i.name for i in outdated(scope.service, scope.group, scope.observed)]
    if old and all(name in deletes for name in old):
        yield _guard_step(
            guard, scope.observed, needs=ids((*planned.ready, *planned.ended))
        )


def outdated(service: Service, group: Group, observed: Observed) -> list[Instance]:
    """
    Instances of another specification that may serve.
    """
    digest = instance_digest(group)
    return [
        i
        for i in observed.instances(service.name, group.name)
        if not is_dead(i) and i.owner and i.owner.digest != digest
    ]


def server_group_changed(group: Group, observed: Observed) -> Iterator[Refusal]:
    """
    What Nova cannot change about how a group spreads.
    """
    spec = group.server_group
    found = observed.server_groups.get(spec.name) if spec else None
    if spec and found and found.policy and found.policy != spec.policy:
        yield Refusal(
            reason=Reason.IMMUTABLE,
            subject=spec.name,
            detail=f"server group {spec.name} has the policy {found.policy} and should "
            f"have {spec.policy}; Nova cannot change it, deploy the service anew",
        )
