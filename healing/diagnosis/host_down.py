"""
Host down: the members of one host fall silent together, or the cloud itself calls the host down.

A lone member on a host looks the same as a lone dead member, and is treated as one; its replacement stands elsewhere either way.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import Finding
from healing.diagnosis.zone_down import SILENT
from healing.scene import Scene


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the member's host is down.
    """
    me = scene.member
    if member.diagnosis not in SILENT or me is None or me.host is None:
        return None
    if not scene.pattern.host_is_down(me.host):
        return None
    there = scene.pattern.on_host(me.host)
    if f"host {me.host}" in scene.pattern.recalled:
        return Finding(
            diagnosis=Diagnosis.HOST_DOWN,
            cause=f"host {me.host}",
            saw=f"host {me.host} was found down lately, and nobody is well there yet",
        )
    word = ", and the cloud says so" if me.host in scene.pattern.hosts_down else ""
    return Finding(
        diagnosis=Diagnosis.HOST_DOWN,
        cause=f"host {me.host}",
        saw=(
            f"all {there.share.unwell} members on host {me.host} are silent{word}, "
            f"while {scene.pattern.without(there).share.well} elsewhere are well"
        ),
    )
