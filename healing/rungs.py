"""
The rungs of the ladder, gentle to rough: what each costs, whether it can be taken back, and how long it may take to show that it helped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Rung(StrEnum):
    """
    What may be done.
    """

    WATCH = "watch"
    """Nothing is wrong now: at most the weight is given back."""
    LEAVE = "leave"
    """The cause is elsewhere: the weight is given back, and nothing else."""
    RESTART = "restart"
    REPLACE = "replace"
    SHIFT = "shift-zone"
    """A replacement in another zone, because its own is down."""
    SCALE_OUT = "scale-out"
    ROLL_BACK = "roll-back"
    """The service as it was asked for before its last change."""
    FAIL_OVER = "fail-over"
    """The load balancer's own failover."""
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Weight:
    """
    How heavy a rung is.

    Attributes:
        patience_seconds: How long fresh measurements may take to be good once it is done; then it has not helped.
        reversible: One later plan takes it back without a loss.
        done: For the verdict: "replaced".
    """

    patience_seconds: float
    reversible: bool
    done: str


WEIGHTS: dict[Rung, Weight] = {
    Rung.WATCH: Weight(25, reversible=True, done="watched"),
    Rung.LEAVE: Weight(25, reversible=True, done="left"),
    Rung.RESTART: Weight(25, reversible=False, done="restarted"),
    Rung.REPLACE: Weight(25, reversible=False, done="replaced"),
    Rung.SHIFT: Weight(25, reversible=False, done="moved to another zone:"),
    Rung.SCALE_OUT: Weight(40, reversible=True, done="gave more members to"),
    Rung.ROLL_BACK: Weight(40, reversible=True, done="rolled back the release of"),
    Rung.FAIL_OVER: Weight(40, reversible=False, done="failed the way over to"),
    Rung.PAGE: Weight(0, reversible=True, done="called a person for"),
}
