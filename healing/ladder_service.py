"""
The rungs for what no single member causes: leave it alone, scale out, fail over, roll back; each with what speaks against it now.
"""

from __future__ import annotations

from dataclasses import dataclass

from fournines.model import quarantine
from fournines.model.desired import instance_digest
from fournines.model.refusal import Reason, Refusal
from fournines.model.transaction import failed_lately
from healing.diagnosis import balancer
from healing.rungs import Rung
from healing.scene import NOT_MEASURED
from healing.situation import Situation

GROWTH_RATIO = 0.5
"""Half as many again: enough for most peaks, and not the whole quota at once."""


@dataclass(frozen=True, slots=True)
class Offer:
    """
    A rung that could help. `against` says why not now; `refusal` is the same where it is a rule of ours.
    """

    rung: Rung
    why: str
    against: str | None = None
    refusal: Refusal | None = None


def leave(situation: Situation, _no_new: str | None) -> Offer:
    """
    The dependent is not touched: what it depends on is healed.
    """
    scene = situation.scene
    below = [one for one in scene.dependencies if one.down] if scene else []
    names = ", ".join(one.service for one in below) or "what it depends on"
    return Offer(
        Rung.LEAVE,
        f"{names} is down: this is not touched",
        refusal=situation.refuse(
            Reason.DEPENDENCY, f"{names} below it is down, that is the cause"
        ),
    )


def scale_out(situation: Situation, no_new: str | None) -> Offer:
    """
    More members, as far as the group's limit allows.
    """
    count, most = situation.group.count, situation.group.healing.count_max
    wanted = size_after(situation)
    why = f"load, not a fault: {wanted} members instead of {count}"
    if no_new:
        return Offer(Rung.SCALE_OUT, why, against=no_new)
    if most is not None and count < most:
        return Offer(Rung.SCALE_OUT, why)
    against = (
        "the group has no healing.count_max: the healer may not scale it"
        if most is None
        else f"the group has {count} members, at most {most} are allowed"
    )
    return Offer(
        Rung.SCALE_OUT,
        why,
        against=against,
        refusal=situation.refuse(Reason.SIZE, against),
    )


def size_after(situation: Situation) -> int:
    """
    How many members the group has after scaling out once.
    """
    count, most = situation.group.count, situation.group.healing.count_max
    more = max(1, int(count * GROWTH_RATIO))
    return min(count + more, most if most is not None else count + more)


def fail_over(situation: Situation, _no_new: str | None) -> Offer:
    """
    The load balancer's own failover, unless its provider has given up on that.
    """
    front = situation.scene.balancer if situation.scene else None
    why = "the members serve, and users do not get through to them"
    if front is None:
        return Offer(Rung.FAIL_OVER, why, against="no load balancer is known")
    if front.failover_stopped:
        against = f"the cloud has stopped failing {front.name} over: FAILOVER_STOPPED"
        refusal = situation.refuse(Reason.FAILOVER_STOPPED, against)
        return Offer(Rung.FAIL_OVER, why, against=against, refusal=refusal)
    if front.pending:
        against = f"{front.name} is {front.provisioning_status}: not to be raced"
        refusal = situation.refuse(Reason.BUSY, against)
        return Offer(Rung.FAIL_OVER, why, against=against, refusal=refusal)
    load = situation.scene.load if situation.scene else NOT_MEASURED
    through = balancer.users_get_through(front, load)
    tried = situation.scene.tried if situation.scene else ()
    if failed_lately(tried, situation.now):
        through = False
    if through is not False:
        against = (
            f"users get through {front.name}: a failover would cost them"
            if through
            else f"only our own requests through {front.name} fail: our way may be cut"
        )
        refusal = situation.refuse(Reason.EVIDENCE_MISSING, against)
        return Offer(Rung.FAIL_OVER, why, against=against, refusal=refusal)
    return Offer(Rung.FAIL_OVER, why)


def roll_back(situation: Situation, no_new: str | None) -> Offer:
    """
    The release before this one, once.
    """
    scene = situation.scene
    before = scene.previous if scene else None
    why = "the new release is the cause: the one before it served"
    if before is None:
        return Offer(
            Rung.ROLL_BACK, why, against="no earlier release of this group is known"
        )
    if scene is not None and scene.rolled_back:
        against = "it was rolled back within the last hour already"
        return Offer(Rung.ROLL_BACK, why, against=against)
    held = _held(situation)
    if held is not None:
        refusal = situation.refuse(Reason.QUARANTINE, held)
        return Offer(Rung.ROLL_BACK, why, against=held, refusal=refusal)
    room = no_new if no_new and "room" in no_new else None
    return Offer(Rung.ROLL_BACK, why, against=room)


def _held(situation: Situation) -> str | None:
    """
    Why the release to go back to is in quarantine, if it is.
    """
    before = situation.scene.previous if situation.scene else None
    for group in before.groups if before else ():
        if group.name != situation.group.name:
            continue
        images = situation.inventory.images
        image = next((i for i in images if i.name == group.image), None)
        found = quarantine.holding(
            situation.quarantines,
            digest=instance_digest(group),
            image=group.image,
            image_id=image.id if image else "",
        )
        return found.sentence() if found else None
    return None
