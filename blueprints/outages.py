"""
What it costs to replace the only member of a stateful service, and by whose word that is done. Pure.
"""

from __future__ import annotations

from blueprints.lifecycle import QUORUM_MIN
from blueprints.scope import Scope
from fournines.model.refusal import Reason, Refusal
from fournines.planning.costs import COSTS

OUTAGE_SECONDS = sum(
    COSTS[kind].expected_seconds
    for kind in ("delete-instance", "ensure-instance", "await-serving", "await-member")
)
"""From the end of a service's only member until its successor is one."""


def of_only_member(scope: Scope, slot: str, why: str) -> tuple[str, Refusal | None]:
    """
    Why the member goes, with the price that a person has agreed to; or that nobody has.
    """
    lost = "" if scope.group.volume_size_gb else ", and what it holds is lost with it"
    price = f"nobody is served for about {OUTAGE_SECONDS:.0f} s{lost}"
    if scope.may_interrupt:
        return f"{why}; it is the only member, and {price}", None
    return why, Refusal(
        reason=Reason.APPROVAL,
        subject=slot,
        detail=f"{slot} is to be replaced ({why}), and it is the only member of {scope.service.name}: {price}; "
        f"deploy with --force when that may be, or scale it to {QUORUM_MIN} first",
    )
