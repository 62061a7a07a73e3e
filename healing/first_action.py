"""
The reversible first move: may a member get weight 0 on one sample?

Harmless and undone by one call, so one sample is enough; but only while enough others serve, since many first moves at once are
an outage of our own making.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fournines.model.inventory import Member
from fournines.model.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class WeightZero:
    """
    Go: one call. `weight_before` undoes it.
    """

    instance: str
    weight_before: int


def decide(
    instance: str,
    members: Sequence[Member],
    *,
    min_healthy: int,
    own: Collection[str] | None = None,
    endpoint_min: int = 1,
    suspects: Collection[str],
    healing_on: bool = True,
    follows_role: bool = False,
) -> WeightZero | Refusal:
    """
    Whether to take requests away from a member at once.

    Args:
        instance: The member woken for.
        members: Its pool as last seen, with weights as we have set them since.
        min_healthy: How many others of its group must go on serving; at least one.
        own: The group's members; None: the pool has no others.
        endpoint_min: How many others of the whole pool must.
        suspects: Members that are not to be counted on: other open cases' instances.
        healing_on: The master switch.
        follows_role: Its pool leads to one role. Nobody else serves in it until the service itself has given that role on, and then the pool's check
            has moved its users already.
    """

    def refuse(reason: Reason, detail: str) -> Refusal:
        return Refusal(reason=reason, detail=detail, subject=instance)

    if not healing_on:
        return refuse(Reason.SWITCHED_OFF, "healing is switched off")
    member = next((m for m in members if m.name == instance), None)
    if member is None:
        return refuse(Reason.MISSING, "it is in no pool")
    if member.weight == 0:
        return refuse(Reason.NOTHING_WRONG, "its weight is 0 already")
    if follows_role:
        return refuse(
            Reason.MIN_HEALTHY,
            "its pool leads to one role: nobody else serves there until the service gives it on",
        )
    serving = [
        m.name
        for m in members
        if m.name not in {instance, *suspects}
        and m.weight > 0
        and m.admin_up
        and m.operating_status not in {"ERROR", "OFFLINE"}
    ]
    others = sum(own is None or name in own for name in serving)
    for found, needed in (
        (others, max(min_healthy, 1)),
        (len(serving), max(endpoint_min, 1)),
    ):
        if found < needed:
            return refuse(
                Reason.MIN_HEALTHY,
                f"only {found} others would serve, {needed} must",
            )
    return WeightZero(instance, member.weight)
