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

AGE_SECONDS_MAX = 8.0
"""The cloud is read every four seconds, and one reading may fail. Whoever was stopped for longer knows nothing of its members."""


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
    age_seconds: float = 0.0,
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
        age_seconds: How long ago the members were seen, beyond what a reading takes.
    """
    member = next((m for m in members if m.name == instance), None)
    for applies, reason, detail in (
        (not healing_on, Reason.SWITCHED_OFF, "healing is switched off"),
        (member is None, Reason.MISSING, "it is in no pool"),
        (
            member is not None and member.weight == 0,
            Reason.NOTHING_WRONG,
            "its weight is 0 already",
        ),
        (
            follows_role,
            Reason.MIN_HEALTHY,
            "its pool leads to one role: nobody else serves there until the service gives it on",
        ),
        (
            age_seconds > AGE_SECONDS_MAX,
            Reason.EVIDENCE_MISSING,
            f"its pool was seen {age_seconds:.0f} s ago: nobody knows who serves now",
        ),
    ):
        if applies:
            return Refusal(reason=reason, detail=detail, subject=instance)
    assert member is not None
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
            detail = f"only {found} others would serve, {needed} must"
            return Refusal(reason=Reason.MIN_HEALTHY, detail=detail, subject=instance)
    return WeightZero(instance, member.weight)
