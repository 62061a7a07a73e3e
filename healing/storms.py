"""
Brakes that look at more than one member: storms in a group, an endpoint or the whole platform, what follows a storm, and outages of a zone.

When much is unwell at once, the members are not the cause, and replacing them makes it worse. A zone or host that is down as a whole is the one
exception: it explains its members' silence, so they are moved elsewhere and not counted.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from fournines.model.desired import Platform
from fournines.model.refusal import Reason, Refusal
from healing.pattern import MemberState, Pattern
from healing.situation import MemberView, Situation


def storm(situation: Situation) -> Refusal | None:
    """
    Too much of the group is unwell for its members to be the cause.

    Both a count and a share must be met: the count keeps small groups healable. While enough others serve, one member at a time may still be
    healed: its replacement joins before it leaves, and if it does not serve, that is the answer and nothing further is tried.
    """
    limits = situation.group.healing
    members = situation.own_members
    unwell = _unexplained(situation, members)
    if (
        len(unwell) < limits.storm_unhealthy_min
        or len(unwell) / len(members) < limits.storm_unhealthy_ratio_min
        or len(members) == 1
    ):
        return None
    said = f"{len(unwell)} of {len(members)} members are unwell"
    needed = max(limits.min_healthy, 1)
    if situation.others_serving < needed:
        return situation.refuse(
            Reason.STORM,
            f"{said}, only {situation.others_serving} serve and {needed} must",
        )
    here = f"{situation.subject.platform}/{situation.subject.service}/"
    others = [key for key in situation.acting if key.startswith(here)]
    if others:
        return situation.refuse(
            Reason.DISRUPTIONS, f"{said}: one at a time, {others[0]} is at it"
        )
    return None


def platform_storm(situation: Situation) -> Refusal | None:
    """
    Too much of the whole platform is unwell, whatever the single groups look like; or all of it.
    """
    pattern, limits = situation.pattern, situation.platform
    if pattern is None:
        return None
    known = [m for m in pattern.members if m.well is not None]
    explained = _Explanation(pattern)
    unwell = [m for m in known if m.unwell and not explained.of(m)]
    if not unwell:
        return None
    all_down = len(unwell) == len(known) > 1
    many = _is_many(len(unwell), len(known), limits)
    if not (all_down or many):
        return None
    return situation.refuse(
        Reason.PLATFORM_STORM,
        f"{len(unwell)} of {len(known)} members of the whole platform are unwell "
        f"({len({m.service for m in unwell})} services): the members are not the cause",
    )


def after_the_storm(situation: Situation) -> Refusal | None:
    """
    A storm was here a moment ago: it must have been calm for a while before anything is replaced.
    """
    if situation.storm_at is None:
        return None
    calm = timedelta(seconds=situation.platform.storm_calm_seconds)
    left = (situation.storm_at + calm - situation.now).total_seconds()
    if left <= 0:
        return None
    return situation.refuse(
        Reason.CALMING,
        f"a storm was here at {situation.storm_at:%H:%M:%S} UTC; "
        f"it must be calm for {left:.0f} s more",
    )


def zone_outage(situation: Situation) -> Refusal | None:
    """
    Nowhere to go: the zones this slot may stand in look down, or its volume stands in one that does.
    """
    pattern = situation.pattern
    down = pattern.zones_down() if pattern else ()
    if not down:
        return None
    said = f"{', '.join(down)} look{'s' if len(down) == 1 else ''} down"
    mine = pattern.member(situation.subject.instance) if pattern else None
    zone = mine.zone if mine else situation.zone
    if situation.group.volume_size_gb is not None and zone in down:
        return situation.refuse(
            Reason.ZONE_OUTAGE,
            f"{said}, and the slot's volume stands in {zone}: it cannot be moved from here",
        )
    zones = set(situation.group.zones)
    if zones and zones <= set(down):
        return situation.refuse(
            Reason.ZONE_OUTAGE, f"{said}, and the group may stand nowhere else"
        )
    return None


def stateful(situation: Situation) -> Refusal | None:
    """
    A service with volumes or addresses of its own is changed one member at a time, each verified before the next.
    """
    if not situation.group.hands_over or not situation.unsettled:
        return None
    return situation.refuse(
        Reason.DISRUPTIONS,
        f"the service keeps data: one at a time, {situation.unsettled[0]} is not settled",
    )


def _unexplained(
    situation: Situation, members: tuple[MemberView, ...]
) -> tuple[MemberView, ...]:
    pattern = situation.pattern
    explained = _Explanation(pattern) if pattern else None
    found = []
    for view in members:
        if view.well:
            continue
        state = pattern.member(view.instance) if pattern else None
        if state and explained and explained.of(state):
            continue
        found.append(view)
    return tuple(found)


class _Explanation:
    """
    Whether a member's place is down and explains it; each place of a picture is looked at once, however many members stand there.
    """

    def __init__(self, pattern: Pattern) -> None:
        self._zone_is_down = cache(pattern.zone_is_down)
        self._host_is_down = cache(pattern.host_is_down)

    def of(self, member: MemberState) -> bool:
        return self._zone_is_down(member.zone) or self._host_is_down(member.host)


def _is_many(unwell: int, known: int, limits: Platform) -> bool:
    return (
        unwell >= limits.storm_unhealthy_min
        and unwell / known >= limits.storm_unhealthy_ratio_min
    )
