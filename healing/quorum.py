"""
Brakes of stateful services: what their own rules say, asked of what the service says of itself.

A member that died takes nothing more with it when it is replaced; one that still runs or votes goes only as its rules allow. A service brings its
own members back (a failover, a rewind, a clone): while it is at that, nobody helps. Without a view nothing that may live is taken away.
"""

from __future__ import annotations

from blueprints import lifecycles
from fournines.model import names
from fournines.model.cluster import Standing
from fournines.model.inventory import DEAD_STATUSES
from fournines.model.refusal import Reason, Refusal
from healing.situation import Situation


def quorum(situation: Situation) -> Refusal | None:
    """
    The member's service would lose its quorum, or a second member, or nobody says how it is.
    """
    rules = lifecycles.of(situation.service, situation.group)
    subject, instance = situation.subject, situation.instance
    if rules is None or subject.slot is None:
        return None
    if instance is None or instance.status in DEAD_STATUSES:
        # The cloud itself says that it runs no more: there is nothing to take away.
        return None
    view = situation.cluster
    if view is None:
        return situation.refuse(
            Reason.EVIDENCE_MISSING,
            f"nobody in {subject.service} says how its members are, and "
            f"{instance.name} may be alive: nothing is taken away on silence",
        )
    slot = names.slot(
        subject.platform, subject.service, subject.group or "", subject.slot
    )
    member = view.member(slot)
    if member is not None and member.votes and member.state is Standing.STARTING:
        said = f" ({member.detail})" if member.detail else ""
        return situation.refuse(
            Reason.BUSY, f"{subject.service} brings {slot} back itself{said}"
        )
    refusal = rules.may_leave(view, slot, situation.now)
    if refusal is None:
        return None
    return situation.refuse(refusal.reason, refusal.detail)
