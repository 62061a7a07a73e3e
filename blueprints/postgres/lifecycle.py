"""
How PostgreSQL with Patroni wants to be handled: what any quorum needs, and that only a member in sync may follow the primary. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from blueprints.lifecycle import QUORUM_MIN, QuorumRules, SizeProblem
from fournines.model.cluster import ClusterMember, ClusterView, Role
from fournines.model.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class PostgresRules(QuorumRules):
    """
    The rules of a quorum, and Patroni's own: the voters are the first members and stay so, further ones are replicas without a vote.
    """

    odd: bool = False
    holds: bool = True

    def may_leave(self, view: ClusterView, slot: str, now: datetime) -> Refusal | None:
        # Not super(): a slotted dataclass is a new class, which the cell of the old one does not know.
        refusal = QuorumRules.may_leave(self, view, slot, now)
        member = view.member(slot)
        if refusal is not None or member is None or member.role is not Role.PRIMARY:
            return refusal
        if len(view.members) == 1:
            return None
        if any(is_heir(other) for other in view.members):
            return None
        return Refusal(
            reason=Reason.QUORUM,
            subject=slot,
            detail=f"{slot} takes the writes of {view.service}, and no other member is its sync standby",
        )

    def size_problem(self, count: int) -> SizeProblem | None:
        if count == QUORUM_MIN - 1:
            return SizeProblem(
                sentence="2 members with synchronous mode take no writes when one is lost; take 3, or 1 without redundancy"
            )
        return QuorumRules.size_problem(self, count)


def is_heir(member: ClusterMember) -> bool:
    """
    Whether Patroni would let it follow the primary now.
    """
    return (
        member.role is Role.REPLICA
        and member.running
        and member.in_sync
        and member.is_heir
    )


RULES = PostgresRules()
