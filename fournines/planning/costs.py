"""
What a step usually takes, and when it has failed.

Expectations are those of the embedded cloud on two cores; deadlines leave room for a loaded production cloud, where an
amphora boots for two minutes and a guest for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from fournines.planning.steps import AwaitServing, Drain, Step


@dataclass(frozen=True, slots=True)
class Cost:
    """
    Seconds of one step kind: what to expect, and the limit.
    """

    expected_seconds: float
    deadline_seconds: float


COSTS = {
    "ensure-network": Cost(1.5, 60),
    "ensure-security-group": Cost(0.6, 30),
    "ensure-server-group": Cost(0.3, 30),
    "ensure-volume": Cost(1.0, 120),
    "ensure-port": Cost(0.5, 60),
    "withdraw-key": Cost(0.4, 300),
    "ensure-instance": Cost(2.5, 240),
    "ensure-load-balancer": Cost(2.0, 300),
    "ensure-floating-ip": Cost(0.8, 60),
    "fail-over-load-balancer": Cost(3.0, 300),
    "join-pool": Cost(0.5, 60),
    "await-serving": Cost(4.0, 300),
    "set-weight": Cost(0.4, 60),
    "drain": Cost(0.0, 30),
    "leave-pool": Cost(0.5, 60),
    "restart-instance": Cost(3.0, 180),
    "delete-instance": Cost(1.0, 120),
    "delete-resource": Cost(1.0, 120),
    "prepare-leave": Cost(2.0, 180),
    "await-member": Cost(20.0, 900),
    "forget-member": Cost(1.0, 120),
    "restart-member": Cost(4.0, 180),
    "switch-over": Cost(3.0, 60),
    "apply-contents": Cost(2.0, 120),
}


def deadline_seconds(kind: str, *, waits_seconds: float = 0.0) -> float:
    """
    The deadline of a step of this kind that itself waits so long.
    """
    return COSTS[kind].deadline_seconds + waits_seconds


SAMPLES_MAX = 50
"""The newest of a kind: what a busy day made slow is forgotten by the next plans."""


def expected_seconds(step: Step) -> float:
    """
    What this step usually takes.
    """
    return COSTS[step.kind].expected_seconds + _waits_seconds(step)


def measured_seconds(step: Step, known: Mapping[str, Sequence[float]]) -> float:
    """
    What steps of this kind took here lately, by their median; of a kind that was never done only what it waits in any case.
    """
    taken = known.get(step.kind, ())[:SAMPLES_MAX]
    return max(median(taken) if taken else 0.0, _waits_seconds(step))


def _waits_seconds(step: Step) -> float:
    """
    What it waits in any case.
    """
    if isinstance(step, Drain):
        return step.wait_seconds
    return step.hold_seconds if isinstance(step, AwaitServing) else 0.0
