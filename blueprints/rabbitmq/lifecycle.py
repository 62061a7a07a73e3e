"""
How a message bus wants to be handled.

One node at a time, and only while every other has all its queues' replicas: a queue of three then keeps two, which is a majority, whatever the
order. The node that leads most queues goes last, so that each leadership moves once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from blueprints.lifecycle import QuorumRules
from fournines.model.cluster import ClusterView
from fournines.model.refusal import Reason, Refusal

ALARM = "publishers are blocked"
"""How the bus' own complaint of an alarm ends (tasks/operators/rabbitmq.py)."""


@dataclass(frozen=True, slots=True)
class BusRules(QuorumRules):
    """
    A quorum's rules, and: nobody leaves while another node has an alarm, for its clients would go to that one.
    """

    holds: bool = True

    def may_leave(self, view: ClusterView, slot: str, now: datetime) -> Refusal | None:
        refusal = QuorumRules.may_leave(self, view, slot, now)
        member = view.member(slot)
        if refusal or member is None or not member.running:
            return refusal
        for problem in view.problems:
            if problem.endswith(ALARM) and not problem.startswith(f"{slot} "):
                return Refusal(
                    reason=Reason.QUORUM,
                    subject=slot,
                    detail=f"{problem}; {slot} stays until that is over",
                )
        return None


RULES = BusRules()
