"""
How a batch service wants to be handled.

The controller is one: what it knows lies on its volume, running tasks go on without it, so it may go at any time and comes back as it was. Workers
know nothing of each other: any number may come or go at once, each once its tasks have ended or were given back to the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from blueprints.lifecycle import VIEW_AGE_MAX_SECONDS, SizeProblem
from fournines.model.cluster import ClusterView
from fournines.model.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class ControllerRules:
    """
    Of the controller.
    """

    independent: bool = False
    holds: bool = False

    def may_leave(self, view: ClusterView, slot: str, now: datetime) -> Refusal | None:
        del view, slot, now
        return None

    def order(self, view: ClusterView, slots: Sequence[str]) -> tuple[str, ...]:
        del view
        return tuple(slots)

    def is_settled(self, view: ClusterView, slot: str) -> str:
        return _lacking(view, slot)

    def size_problem(self, count: int) -> SizeProblem | None:
        if count == 1:
            return None
        return SizeProblem(
            sentence="a batch service has one controller, whose volume outlives it"
        )


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """
    Of the workers.
    """

    independent: bool = True
    holds: bool = False
    age_max_seconds: float = VIEW_AGE_MAX_SECONDS

    def may_leave(self, view: ClusterView, slot: str, now: datetime) -> Refusal | None:
        if now - view.at <= timedelta(seconds=self.age_max_seconds):
            return None
        age = (now - view.at).total_seconds()
        return Refusal(
            reason=Reason.EVIDENCE_MISSING,
            subject=slot,
            detail=f"what {view.service} says of its workers is {age:.0f} s old; none is taken away on it",
        )

    def order(self, view: ClusterView, slots: Sequence[str]) -> tuple[str, ...]:
        """
        Those that do not work first, then those with nothing to do.
        """

        def rank(slot: str) -> tuple[bool, bool, int]:
            member = view.member(slot)
            running = member is not None and member.running
            busy = member is not None and not member.in_sync
            return (running, busy, -slots.index(slot))

        return tuple(sorted(slots, key=rank))

    def is_settled(self, view: ClusterView, slot: str) -> str:
        return _lacking(view, slot)

    def size_problem(self, count: int) -> SizeProblem | None:
        del count
        return None


def _lacking(view: ClusterView, slot: str) -> str:
    member = view.member(slot)
    if member is None:
        return f"{slot} is unknown to {view.service}"
    if member.running:
        return ""
    said = f" ({member.detail})" if member.detail else ""
    return f"{slot} is {member.state}{said}"


CONTROLLER = ControllerRules()
WORKERS = WorkerRules()
