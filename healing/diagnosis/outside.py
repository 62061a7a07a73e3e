"""
Outside: the member answers us, and its own cluster does not have it, or its clients do not get in.

It runs beside a service that has gone on without it: stopped in the cluster's eyes, unknown to it, without the vote that it should have, or behind a
pooler that is dead. A member that is on its way (starting, cloning) is left to its service.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.cluster import ClusterMember, Standing
from healing.diagnosis.finding import Finding
from healing.scene import Scene


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the others count the subject out although it answers.
    """
    view = scene.cluster
    if member.diagnosis is not Diagnosis.NOTHING or view is None:
        return None
    if not view.has_quorum:
        return None
    lacking = _lacking(scene.in_cluster, view.service)
    if not lacking:
        return None
    return Finding(
        diagnosis=Diagnosis.OUTSIDE,
        saw=f"it answers us, and {lacking}",
        again=True,
    )


def _lacking(found: ClusterMember | None, service: str) -> str:
    """
    What its cluster says of it; empty while it counts it, or takes it in.
    """
    if found is None or found.state is Standing.ABSENT:
        return f"{service} does not know it"
    said = f" ({found.detail})" if found.detail else ""
    if found.state is Standing.STOPPED:
        return f"{service} calls it stopped{said}"
    if found.running and found.is_voter and not found.votes:
        return f"{service} has no vote of it{said}"
    return found.shut if found.running else ""
