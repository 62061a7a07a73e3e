"""
Failing: the instance answers, and its own health check says that it is not well.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.probing import Answer
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.evidence import MemberEvidence


def look(evidence: MemberEvidence) -> Finding | None:
    """
    Whether the health check answers badly, more than once and now.
    """
    bad = evidence.bad_health_probes
    if len(bad) < SAMPLES_MIN or evidence.health_probes[-1].good:
        return None
    if not any(probe.answer is Answer.STATUS for probe in evidence.probes):
        return None
    last = next((probe.status for probe in reversed(bad) if probe.status), None)
    said = f"last with status {last}" if last else "without an answer"
    users = f"{len(evidence.bad_user_probes)} of {len(evidence.user_probes)}"
    return Finding(
        diagnosis=Diagnosis.FAILING,
        saw=(
            f"{len(bad)} of {len(evidence.health_probes)} health checks failed, {said}; "
            f"{users} requests on the users' path failed too"
        ),
    )
