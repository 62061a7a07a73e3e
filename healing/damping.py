"""
Flap damping: a member that cries out again and again and is well each time is left in peace until it has been calm.

As routers damp flapping routes: each flap adds one point, points halve with time; above a limit no weight is moved any more on an alarm's
word, and below one point it is trusted again. Two limits, so that it does not flap between trusting and not trusting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fournines.model.desired import HealingLimits

TRUSTED_BELOW = 1.0
"""Points below which a held slot is let go: less than one fresh flap."""


@dataclass(frozen=True, slots=True)
class Damping:
    """
    How much a slot has flapped.

    Attributes:
        points: Flaps, each halved with its age.
        held: Too many: alarms move nothing until it has been calm.
    """

    points: float
    held: bool


def damping(flaps: Iterable[datetime], now: datetime, limits: HealingLimits) -> Damping:
    """
    The slot's points at a moment; flaps after it do not count yet.
    """
    points, held, last = 0.0, False, None
    for at in (*sorted(at for at in flaps if at <= now), now):
        if last is not None:
            age = (at - last).total_seconds()
            points *= 0.5 ** (age / limits.flap_half_life_seconds)
        if points < TRUSTED_BELOW:
            held = False
        if at is not now:
            points += 1
        # Half a point of grace: flaps are never all at the same moment.
        if points > limits.flaps_max - 0.5:
            held = True
        last = at
    return Damping(points, held)
