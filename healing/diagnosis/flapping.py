"""
Flapping: the same member again and again cries out and is well when it is looked at.

Each time it is taken out and put back costs users a little; after the third time within the window it is replaced instead.
"""

from __future__ import annotations

from datetime import timedelta

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import Finding
from healing.scene import Scene

FLAPS_MIN = 3
"""Earlier false alarms of the slot within the window."""


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the slot has cried out too often.
    """
    if member.diagnosis is not Diagnosis.NOTHING:
        return None
    begin = scene.now - timedelta(seconds=scene.window_seconds)
    replaced = max((e.opened_at for e in scene.episodes if e.acted), default=begin)
    flaps = [
        e
        for e in scene.episodes
        if e.opened_at > max(begin, replaced)
        and e.diagnosis is Diagnosis.NOTHING
        and not e.acted
    ]
    if len(flaps) < FLAPS_MIN:
        return None
    return Finding(
        diagnosis=Diagnosis.FLAPPING,
        saw=(
            f"well now, for the {len(flaps) + 1}th time within "
            f"{scene.window_seconds / 60:.0f} minutes after an alarm"
        ),
    )
