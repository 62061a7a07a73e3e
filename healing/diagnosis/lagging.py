"""
Lagging: a replica runs and stays far behind its primary.

It answers, and reads from it are old; what matters more, it cannot take over. The alert that wakes the healer waits until it no longer catches up;
here it is looked at once more. Small lags are how asynchronous replicas live.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.cluster import Role
from healing.diagnosis.finding import Finding
from healing.scene import Scene

LAG_BYTES_MIN = 64 * 2**20
"""Four segments of PostgreSQL's log: more than a burst leaves behind for seconds."""


def look(member: Finding, scene: Scene) -> Finding | None:
    """
    Whether the subject is a replica that is left behind.
    """
    found = scene.in_cluster
    if member.diagnosis is not Diagnosis.NOTHING or found is None:
        return None
    lag = found.lag_bytes
    if found.role is not Role.REPLICA or not found.running or found.in_sync:
        return None
    if lag is None or lag < LAG_BYTES_MIN:
        return None
    return Finding(
        diagnosis=Diagnosis.LAGGING,
        saw=f"it answers, and is {lag // 2**20} MiB behind its primary",
        again=True,
    )
