"""
Dependency down: the member answers badly because something below it does not work.

The lowest burning service in the graph is named: healing what stands on it would destroy what is well. At least half of the group must
suffer together; a dependency hurts all of its users, not one.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import Finding
from healing.scene import Scene

SUFFERING = frozenset(
    {
        Diagnosis.FAILING,
        Diagnosis.GREY_ERRORS,
        Diagnosis.GREY_SLOW,
        Diagnosis.HUNG,
        Diagnosis.UNKNOWN,
    }
)
"""How a member looks whose dependency is missing. One that is gone is gone by itself."""

SHARE_MIN = 0.5


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether something that the service stands on is down.
    """
    down = [below for below in scene.dependencies if below.down]
    if member.diagnosis not in SUFFERING or not down:
        return None
    share = scene.group.share
    if share.ratio < SHARE_MIN:
        return None
    lowest = max(down, key=lambda below: (below.depth, below.service))
    why = "is unwell"
    if lowest.failing:
        why = "answers no transaction of ours"
    elif lowest.burning:
        why = "burns its budget"
    case = f" ({lowest.case_id} is about it)" if lowest.case_id else ""
    return Finding(
        diagnosis=Diagnosis.DEPENDENCY,
        cause=f"service {lowest.service}",
        saw=(
            f"{share} members suffer together, and {lowest.service} below them "
            f"{why}: {lowest.share} of its members are unwell{case}"
        ),
    )
