"""
Flapping: the same member cries out again and again and is well whenever it is looked at.

It is named so that people see it; what follows is flap damping's business (healing/damping.py): alarms move nothing until it is calm.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing import damping
from healing.diagnosis.finding import Finding
from healing.scene import Scene


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the slot has cried out too often.
    """
    if member.diagnosis is not Diagnosis.NOTHING:
        return None
    found = damping.damping(scene.flaps, scene.now, scene.limits)
    if not found.held:
        return None
    return Finding(
        diagnosis=Diagnosis.FLAPPING,
        saw=f"{member.saw}, as {len(scene.flaps)} times lately after an alarm",
    )
