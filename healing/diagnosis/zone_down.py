"""
Zone down: the members of a zone fall silent together, on several hosts, while the others serve.

Read from the pattern of members, never from one alert. The load balancer must have lost them too: when only we do not reach the zone,
our way there is cut and nothing is done.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import Finding
from healing.scene import Scene

SILENT = frozenset({Diagnosis.GONE, Diagnosis.HUNG})
"""What a member says of itself when the ground under it is gone."""


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the member's whole zone is down.
    """
    me = scene.member
    if member.diagnosis not in SILENT or me is None:
        return None
    if not scene.pattern.zone_is_down(me.zone):
        return None
    there = scene.pattern.in_zone(me.zone)
    if f"zone {me.zone}" in scene.pattern.recalled:
        return Finding(
            diagnosis=Diagnosis.ZONE_DOWN,
            cause=f"zone {me.zone}",
            saw=f"{me.zone} was found down lately, and nobody is well there yet",
        )
    return Finding(
        diagnosis=Diagnosis.ZONE_DOWN,
        cause=f"zone {me.zone}",
        saw=(
            f"all {there.share.unwell} members in {me.zone}, on "
            f"{len(there.hosts)} hosts, are silent, while "
            f"{scene.pattern.without(there).share.well} elsewhere are well"
        ),
    )
