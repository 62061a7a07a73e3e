"""
Reasons not to heal. Each brake is a pure function: a refusal with its numbers, or None for "no objection".

Brakes come before engines: a healer that is wrong once is switched off for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fournines.model import quarantine
from fournines.model.desired import instance_digest
from fournines.model.refusal import Reason, Refusal
from healing import ownership, quorum, restraints, storms
from healing.situation import Situation, endpoint_floor

Brake = Callable[[Situation], Refusal | None]

COOL_DOWN_SECONDS = 5.0
"""Pause after the first healing of a slot; doubles with every further one."""

WAITING = frozenset(
    {
        Reason.BUSY,
        Reason.DISRUPTIONS,
        Reason.COOL_DOWN,
        Reason.CALMING,
        Reason.QUORUM,
    }
)
"""Refusals that time cures: the case stays open and asks again."""


def switched_off(situation: Situation) -> Refusal | None:
    """
    A person switched healing off.
    """
    if situation.healing_on:
        return None
    by = situation.switched_by or "nobody said why"
    return situation.refuse(Reason.SWITCHED_OFF, f"healing is switched off: {by}")


def paused(situation: Situation) -> Refusal | None:
    """
    A person told us to keep our hands off.
    """
    return restraints.pause(situation.pauses, situation.subject, situation.now)


def maintenance(situation: Situation) -> Refusal | None:
    """
    People work on it now: nothing but a weight is changed.
    """
    return restraints.maintenance(
        situation.platform, situation.service, situation.subject, situation.now
    )


def unwanted(situation: Situation) -> Refusal | None:
    """
    The slot is no longer asked for: whoever scales in takes care of it.
    """
    slot = situation.subject.slot
    if slot is not None and slot < situation.group.count:
        return None
    return situation.refuse(
        Reason.STALE,
        f"the group has {situation.group.count} slots now, this is not one of them",
    )


def busy(situation: Situation) -> Refusal | None:
    """
    Somebody else works on the service.
    """
    if situation.lease_holder is None:
        return None
    return situation.refuse(
        Reason.BUSY, f"{situation.lease_holder} works on the service"
    )


def flapping(situation: Situation) -> Refusal | None:
    """
    The member cries out again and again and is well: hold, and tell. Who is found sick is healed all the same.
    """
    return restraints.flapping(
        situation.flaps, situation.group, situation.subject, situation.now
    )


def quarantined(situation: Situation) -> Refusal | None:
    """
    New instances of this build never served. Asked before a replacement, not before a restart: it makes no new one.
    """
    group = situation.group
    image = next((i for i in situation.inventory.images if i.name == group.image), None)
    found = quarantine.holding(
        situation.quarantines,
        digest=instance_digest(group),
        image=group.image,
        image_id=image.id if image else "",
    )
    if found is None:
        return None
    return situation.refuse(Reason.QUARANTINE, found.sentence())


def disruptions(situation: Situation) -> Refusal | None:
    """
    Enough is being changed on the platform at this moment.
    """
    at_once = situation.platform.disruptions_max
    if len(situation.acting) < at_once:
        return None
    others = ", ".join(sorted(situation.acting))
    return situation.refuse(
        Reason.DISRUPTIONS,
        f"{len(situation.acting)} of at most {at_once} healings run already ({others})",
    )


def attempts(situation: Situation) -> Refusal | None:
    """
    The slot was healed too often: healing does not help it.
    """
    limits = situation.group.healing
    recent = _recent(situation)
    if recent < limits.attempts_max:
        return None
    return situation.refuse(
        Reason.ATTEMPTS,
        f"healed {recent} times within {limits.cooldown_seconds} s, "
        f"at most {limits.attempts_max}: a person must look",
    )


def cool_down(situation: Situation) -> Refusal | None:
    """
    The slot was healed a moment ago; the pause doubles with every healing.
    """
    ended = [a.ended_at for a in situation.attempts if a.ended_at is not None]
    recent = _recent(situation)
    if not ended or not recent:
        return None
    pause = timedelta(seconds=COOL_DOWN_SECONDS * 2 ** (recent - 1))
    ready = max(ended) + pause
    if situation.now >= ready:
        return None
    left = (ready - situation.now).total_seconds()
    return situation.refuse(
        Reason.COOL_DOWN,
        f"healed {recent} times lately; again in {left:.0f} s",
    )


def min_healthy(situation: Situation) -> Refusal | None:
    """
    Taking this member away would leave too few that serve, in its group or at its endpoint, whose pool other groups may share.

    Asked before a member that serves gets weight 0 or is restarted. A replacement asks nothing: the new member joins before the old
    one leaves.
    """
    member = situation.member
    if member is None or not member.serving:
        return None
    needed = max(situation.group.healing.min_healthy, 1)
    if situation.others_serving < needed:
        return situation.refuse(
            Reason.MIN_HEALTHY,
            f"only {situation.others_serving} others serve, {needed} must",
        )
    floor = endpoint_floor(situation.service, situation.group)
    at_endpoint = situation.others_at_endpoint
    if at_endpoint < floor:
        return situation.refuse(
            Reason.MIN_HEALTHY,
            f"only {at_endpoint} others serve at the endpoint, {floor} must",
        )
    return None


BRAKES: tuple[Brake, ...] = (
    switched_off,
    paused,
    unwanted,
    ownership.not_ours,
    ownership.locked,
    maintenance,
    storms.platform_storm,
    storms.storm,
    storms.zone_outage,
    quorum.quorum,
    attempts,
    busy,
    disruptions,
    storms.stateful,
    storms.after_the_storm,
    cool_down,
    flapping,
)
"""All that must have no objection before anything irreversible; those that time cures come last."""


def objections(situation: Situation) -> tuple[Refusal, ...]:
    """
    Every brake's refusal, in their order; empty means go.
    """
    found = (brake(situation) for brake in BRAKES)
    return tuple(refusal for refusal in found if refusal is not None)


def _recent(situation: Situation) -> int:
    window = timedelta(seconds=situation.group.healing.cooldown_seconds)
    return sum(a.opened_at > situation.now - window for a in situation.attempts)
