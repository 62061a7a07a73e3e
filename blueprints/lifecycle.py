"""
How a stateful service wants to be handled: pure rules over what it says of itself (fournines.model.cluster).

A template with an ordinal group has a `lifecycle.py` with an instance of `Lifecycle`, named in blueprints/lifecycles.py. Planner, healing
and the steps themselves all ask it; `QuorumRules` is what any quorum needs, and a template adds what its engine asks for besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fournines.model.cluster import ClusterMember, ClusterView, Role
from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value

VIEW_AGE_MAX_SECONDS = 30.0
"""An older view says nothing of now. A failover takes seconds; a plan is performed within some more of its reading."""

QUORUM_MIN = 3
"""Fewer members stand no loss at all."""


class SizeProblem(Value):
    """
    Why a group should not have that many members. `forcible`: a person may insist.
    """

    sentence: str
    forcible: bool = False


class Lifecycle(Protocol):
    """
    The rules of one stateful template. Pure: values in, one value out.

    Attributes:
        independent: Members know nothing of each other: all that are missing come at once, and all that are too many go at once.
    """

    @property
    def independent(self) -> bool: ...

    def may_leave(self, view: ClusterView, slot: str, now: datetime) -> Refusal | None:
        """
        Why the member of a slot may not be stopped now, for a while or for ever; None: it may. Whoever asks will take it away.
        """
        ...

    def order(self, view: ClusterView, slots: Sequence[str]) -> tuple[str, ...]:
        """
        In which order these slots' members are changed, one after the other.
        """
        ...

    def is_settled(self, view: ClusterView, slot: str) -> str:
        """
        Why the member of a slot is not yet all it should be, so that no other may leave; empty when it is.
        """
        ...

    def size_problem(self, count: int) -> SizeProblem | None:
        """
        Why the group should not have so many members; None: it may.
        """
        ...

    @property
    def holds(self) -> bool:
        """
        Whether the service has contents (users, queues, settings) that are brought to its parameters from outside.
        """
        ...


@dataclass(frozen=True, slots=True)
class QuorumRules:
    """
    What holds for every service that decides by majority. Extend it: call `super()` first, then add.

    Attributes:
        age_max_seconds: How old a view may be.
        size_min: From so many members on, one may be lost.
        holds: Whether the service has contents that are brought to its parameters from outside.
        odd: An even number of voters stands no more losses than one fewer, so it is refused.
    """

    age_max_seconds: float = VIEW_AGE_MAX_SECONDS
    size_min: int = QUORUM_MIN
    odd: bool = True
    holds: bool = False
    independent: bool = False

    def may_leave(self, view: ClusterView, slot: str, now: datetime) -> Refusal | None:
        if now - view.at > timedelta(seconds=self.age_max_seconds):
            age = (now - view.at).total_seconds()
            return Refusal(
                reason=Reason.EVIDENCE_MISSING,
                subject=slot,
                detail=f"what {view.service} says of itself is {age:.0f} s old; "
                f"nothing is taken away on it",
            )
        member = view.member(slot)
        if member is None or not (member.running or member.votes):
            # It serves nobody and votes for nothing: taking it away takes nothing away.
            return None
        return (
            self._too_few_votes(view, slot)
            or self._another_unsettled(view, slot)
            or self._nobody_to_follow(view, member)
        )

    def order(self, view: ClusterView, slots: Sequence[str]) -> tuple[str, ...]:
        """
        Those that do not run first, then replicas from the one furthest behind, the leader last.
        """

        def rank(slot: str) -> tuple[bool, bool, bool, int, int]:
            member = view.member(slot)
            if member is None:
                return (False, False, False, 0, slots.index(slot))
            leads = member.role is Role.PRIMARY or view.leader == slot
            behind = -(member.lag_bytes or 0)
            return (
                leads,
                member.running,
                member.in_sync,
                behind,
                list(slots).index(slot),
            )

        return tuple(sorted(slots, key=rank))

    def is_settled(self, view: ClusterView, slot: str) -> str:
        member = view.member(slot)
        if member is None:
            return f"{slot} is not a member of {view.service}"
        if not member.running:
            return f"{slot} is {member.state}{_said(member)}"
        if member.shut:
            return f"{slot} runs, and {member.shut}"
        if member.is_voter and not member.votes:
            return f"{slot} does not vote{_said(member)}"
        if not member.in_sync:
            behind = (
                f", {member.lag_bytes} bytes behind"
                if member.lag_bytes is not None
                else ""
            )
            return f"{slot} has not caught up{behind}{_said(member)}"
        return ""

    def size_problem(self, count: int) -> SizeProblem | None:
        if count < 1:
            return SizeProblem(
                sentence="a service that keeps data has one member at least; destroy removes it"
            )
        if count < self.size_min and count != 1:
            return SizeProblem(
                sentence=f"{count} members decide nothing when one is lost; "
                f"take {self.size_min}, or 1 and no redundancy"
            )
        if self.odd and count % 2 == 0:
            return SizeProblem(
                sentence=f"{count} members stand no more losses than {count - 1}; "
                f"take {count - 1} or {count + 1}"
            )
        if count < self.size_min:
            return SizeProblem(
                sentence=f"{count} of a quorum stands no loss: below "
                f"{self.size_min} every fault is an outage",
                forcible=True,
            )
        return None

    def _too_few_votes(self, view: ClusterView, slot: str) -> Refusal | None:
        left = view.votes_without(slot)
        if left >= view.quorum:
            return None
        return Refusal(
            reason=Reason.QUORUM,
            subject=slot,
            detail=f"without {slot} {left} of {view.voters} members of {view.service} "
            f"would vote, and {view.quorum} must",
        )

    def _another_unsettled(self, view: ClusterView, slot: str) -> Refusal | None:
        for other in view.members:
            if other.slot_name == slot:
                continue
            why = self.is_settled(view, other.slot_name)
            if why:
                return Refusal(
                    reason=Reason.QUORUM,
                    subject=slot,
                    detail=f"one at a time: {why}, so {slot} stays",
                )
        return None

    def _nobody_to_follow(
        self, view: ClusterView, member: ClusterMember
    ) -> Refusal | None:
        if member.role is not Role.PRIMARY:
            return None
        if any(m.settled and m.slot_name != member.slot_name for m in view.members):
            return None
        return Refusal(
            reason=Reason.QUORUM,
            subject=member.slot_name,
            detail=f"{member.slot_name} takes the writes of {view.service}, and no "
            "other member has all of them",
        )


def _said(member: ClusterMember) -> str:
    return f" ({member.detail})" if member.detail else ""
