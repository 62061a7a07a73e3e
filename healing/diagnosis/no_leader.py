"""
No leader: a cluster has its quorum, and nobody leads it.

Choosing one is the service's own business and takes seconds, so the same look is taken again. A choice that does not end is one that no member may
win (the only one in sync is away, say): promoting somebody by force may lose what was acknowledged, and is a person's decision.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.cluster import Role
from healing.diagnosis.finding import Finding
from healing.diagnosis.kinds import SICK
from healing.scene import Scene


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the subject's cluster is without a leader. A sick member is the cause rather than the victim: it is treated.
    """
    view = scene.cluster
    if view is None or member.diagnosis in SICK or not view.has_quorum:
        return None
    if view.leader is not None or not any(m.role is Role.REPLICA for m in view.members):
        # Peers take turns: a bus without queues has nothing to lead.
        return None
    said = f" ({'; '.join(view.problems)})" if view.problems else ""
    return Finding(
        diagnosis=Diagnosis.NO_LEADER,
        cause=f"leader of {scene.subject.service}/{scene.subject.group}",
        saw=f"{view.votes} of {view.voters} members vote, and nobody leads{said}",
        again=True,
    )
