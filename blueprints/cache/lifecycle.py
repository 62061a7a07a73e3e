"""
How a cache wants to be handled.

Sentinels decide by majority who leads, so a quorum's rules hold; the primary goes last, after it has handed over to a replica that has all of
its data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from blueprints.lifecycle import QuorumRules
from fournines.model.cluster import ClusterView
from fournines.model.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class CacheRules(QuorumRules):
    """
    A quorum's rules, and: no replica leaves while nobody leads, for it may be the one with the newest data.
    """

    holds: bool = True

    def may_leave(self, view: ClusterView, slot: str, now: datetime) -> Refusal | None:
        refusal = QuorumRules.may_leave(self, view, slot, now)
        member = view.member(slot)
        if refusal or member is None or not member.running or view.leader is not None:
            return refusal
        return Refusal(
            reason=Reason.QUORUM,
            subject=slot,
            detail=f"nobody leads {view.service}, and {slot} may have to",
        )


RULES = CacheRules()
