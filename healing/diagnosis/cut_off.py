"""
Cut off: we do not reach several members of a zone or host, while the load balancer goes on calling every one of them well.

Then it is our way there that is broken, not they: blindness in one eye. The load balancer needs a few seconds to notice a death, so
the same look is taken again before this stands.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import Finding
from healing.diagnosis.zone_down import SILENT
from healing.pattern import MEMBERS_MIN, Pattern
from healing.scene import Scene


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether it is our way to the member's zone or host that is cut.
    """
    me = scene.member
    if member.diagnosis not in SILENT or me is None or not me.balancer_alive:
        return None
    for noun, name, there in (
        ("zone", me.zone, scene.pattern.in_zone(me.zone)),
        ("host", me.host, scene.pattern.on_host(me.host)),
    ):
        if _out_of_sight(there):
            return Finding(
                diagnosis=Diagnosis.BLIND,
                cause=f"our way to {noun} {name}",
                saw=(
                    f"none of the {len(there.members)} members in {noun} {name} "
                    "answers us, yet the load balancer calls every one of them well"
                ),
                again=True,
            )
    return None


def _out_of_sight(there: Pattern) -> bool:
    return (
        len(there.members) >= MEMBERS_MIN
        and len(there.unwell) == len(there.members)
        and all(m.balancer_alive for m in there.members)
    )
