"""
What instances answer, and what the load balancers' health monitors make of it.

The arithmetic is Octavia's: a member goes to ERROR after `fall` bad checks and back to ONLINE after `rise` good ones, one
check every `delay_seconds`; a check of a hung instance takes its time-out besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fournines.cloud.simulated.records import (
    Behaviour,
    InstanceRecord,
    MemberRecord,
    PoolRecord,
)
from fournines.cloud.simulated.world import World

QUICK_SECONDS = 0.01
SLOW_SECONDS = 1.0
"""A grey-slow instance's answer: beyond any sensible objective, within the load balancer's time-out."""


class Hardship(StrEnum):
    """
    What the surroundings do to an instance's users: nothing; it has too much to do; what it needs is missing.
    """

    NONE = "none"
    PRESSED = "pressed"
    STARVED = "starved"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What asking an instance gave.

    Attributes:
        code: HTTP status; None when there was no answer.
        seconds: How long it took; a time-out takes what the asker allowed.
        error: "refused" or "timeout" when there was no answer.
    """

    code: int | None
    seconds: float
    error: str | None = None

    @property
    def good(self) -> bool:
        """
        Answered, and not with a server error.
        """
        return self.code is not None and self.code < 500


MUTE = frozenset({Behaviour.HANG, Behaviour.CUT})
"""Nobody says anything, and whoever asks waits."""

DEAD = frozenset({Behaviour.KILL, Behaviour.MEMORY})
"""Nobody listens there."""

GREY = frozenset({Behaviour.GREY_ERRORS, Behaviour.FULL_DISK})
"""The health page is fine, and users get errors."""

REFUSED = Answer(None, 0.0, "refused")
WELL = Answer(200, QUICK_SECONDS)
BAD = Answer(500, QUICK_SECONDS)


def ask(
    record: InstanceRecord | None,
    now: datetime,
    *,
    health_path: bool,
    timeout_seconds: float,
    hardship: Hardship = Hardship.NONE,
) -> Answer:
    """
    One HTTP request to an instance, over its health page or over what users use.
    """
    if record is None or not _up(record, now):
        return REFUSED
    if record.behaviour in MUTE:
        return Answer(None, timeout_seconds, "timeout")
    grey = not health_path
    slow = record.behaviour is Behaviour.GREY_SLOW or hardship is Hardship.PRESSED
    if slow and grey:
        if timeout_seconds <= SLOW_SECONDS:
            return Answer(None, timeout_seconds, "timeout")
        return Answer(200, SLOW_SECONDS)
    grey_bad = record.behaviour in GREY or hardship is Hardship.STARVED
    bad = record.behaviour is Behaviour.ERRORS or (grey_bad and grey)
    return BAD if bad else WELL


def _up(record: InstanceRecord, now: datetime) -> bool:
    return (
        record.status == "ACTIVE"
        and record.behaviour not in DEAD
        and record.serves_at is not None
        and record.serves_at <= now
    )


def _passes(record: InstanceRecord | None, pool: PoolRecord, now: datetime) -> bool:
    """
    Whether a health check of this pool's kind succeeds. A hung guest's kernel still takes TCP connections.
    """
    if pool.monitor.kind == "TCP":
        return (
            record is not None
            and _up(record, now)
            and record.behaviour is not Behaviour.CUT
        )
    timeout = float(pool.monitor.timeout_seconds)
    return ask(record, now, health_path=True, timeout_seconds=timeout).good


def arm(
    world: World, load_balancer: str, pool: str, member: MemberRecord, now: datetime
) -> None:
    """
    An instance's health may have changed, or it just joined: book the monitor's verdict.
    """
    record = world.load_balancers[load_balancer].pools[pool]
    instance = world.instances.get(member.instance)
    member.epoch += 1
    passes = _passes(instance, record, now)
    if passes == member.up:
        return
    monitor = record.monitor
    seconds = float(monitor.delay_seconds * (monitor.rise if passes else monitor.fall))
    if not passes and instance and instance.behaviour in MUTE:
        seconds += monitor.timeout_seconds
    epoch = member.epoch

    def decide(_due: datetime) -> None:
        if member.epoch == epoch:
            member.up = passes

    world.agenda.book(now + timedelta(seconds=seconds), decide)


def changed(world: World, instance: str, now: datetime) -> None:
    """
    Something about an instance's health changed: every monitor that watches it takes note.
    """
    for load_balancer, pool in sorted(world.memberships.get(instance, ())):
        member = world.load_balancers[load_balancer].pools[pool].members[instance]
        arm(world, load_balancer, pool, member, now)


def operating_status(member: MemberRecord) -> str:
    """
    Octavia's word for a member.
    """
    if member.up is None:
        return "OFFLINE"
    if not member.up:
        return "ERROR"
    return "ONLINE" if member.weight else "DRAINING"
