"""
Split view: members of one cluster contradict each other on who belongs to it or who leads it.

Which of them is right cannot be seen from outside, and whoever is taken away may be the one that was. The engines bring themselves together within
seconds (docs/bus-and-cache.md), so the same look is taken again before it stands; then a person is called.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.cluster import ClusterView, Role
from healing.diagnosis.finding import Finding
from healing.scene import Scene


def look(_member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the subject's cluster is of two minds.
    """
    view = scene.cluster
    saw = _of_two_minds(view) if view is not None else ""
    if not saw:
        return None
    return Finding(
        diagnosis=Diagnosis.SPLIT_VIEW,
        cause=f"split of {scene.subject.service}/{scene.subject.group}",
        saw=saw,
        again=True,
    )


def _of_two_minds(view: ClusterView) -> str:
    lead = [m.slot_name for m in view.members if m.role is Role.PRIMARY and m.running]
    if len(lead) > 1:
        return f"{' and '.join(lead)} both take the writes of {view.service}"
    return view.split
