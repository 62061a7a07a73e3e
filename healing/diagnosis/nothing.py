"""
Nothing: whatever woke us is over.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.diagnosis.grey_errors import ERROR_RATIO_MIN
from healing.evidence import MemberEvidence


def look(evidence: MemberEvidence) -> Finding | None:
    """
    Whether the member is well now: every probe good, enough of them, and no errors measured that probes miss.

    The measured ratio looks ten seconds back. While it is still bad the finding is withheld, so that one more look is taken:
    a member that fails every third request must not be called well because two probes were lucky.
    """
    enough = (
        len(evidence.user_probes) >= SAMPLES_MIN
        and len(evidence.health_probes) >= SAMPLES_MIN
    )
    if not enough or not all(probe.good for probe in evidence.probes):
        return None
    ratio = evidence.error_ratio
    if ratio is not None and ratio > ERROR_RATIO_MIN:
        return None
    return Finding(
        diagnosis=Diagnosis.NOTHING,
        saw=f"all {len(evidence.probes)} probes were answered well",
    )
