"""
Gone: the instance does not exist, does not run, or nothing listens at its address.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.evidence import NOBODY, MemberEvidence

DEAD = frozenset({"SHUTOFF", "ERROR", "DELETED", "SOFT_DELETED", "STOPPED"})
"""Nova's words for an instance that does not run. PAUSED, SUSPENDED, RESCUE and the like are somebody's intention."""


def look(evidence: MemberEvidence) -> Finding | None:
    """
    Whether the instance is dead.
    """
    if evidence.cloud_read and evidence.instance_status is None:
        return Finding(diagnosis=Diagnosis.GONE, saw="the cloud knows no such instance")
    if evidence.instance_status in DEAD and not _answers(evidence):
        fault = f" ({evidence.fault})" if evidence.fault else ""
        return Finding(
            diagnosis=Diagnosis.GONE,
            saw=f"the instance is {evidence.instance_status}{fault}",
        )
    nobody = [probe for probe in evidence.probes if probe.answer in NOBODY]
    if len(nobody) >= SAMPLES_MIN and len(nobody) == len(evidence.probes):
        return Finding(
            diagnosis=Diagnosis.GONE,
            saw=(
                f"all {len(nobody)} probes met nobody ({nobody[-1].answer}) while the "
                f"cloud calls it {evidence.instance_status or 'unknown'}"
            ),
        )
    return None


def _answers(evidence: MemberEvidence) -> bool:
    """
    A stale status must not kill what answers well.
    """
    return any(probe.good for probe in evidence.probes)
