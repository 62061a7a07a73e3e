"""
Hung: the instance is there and accepts connections or drops them, but says nothing, on any path.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.evidence import NOBODY, SILENCE, MemberEvidence


def look(evidence: MemberEvidence) -> Finding | None:
    """
    Whether the instance is silent on the users' path and on the health check's.
    """
    mute = SILENCE | NOBODY
    silent = [probe for probe in evidence.probes if probe.answer in SILENCE]
    if (
        len(silent) >= SAMPLES_MIN
        and all(probe.answer in mute for probe in evidence.probes)
        and _both(evidence)
    ):
        waited = max(probe.seconds for probe in silent)
        return Finding(
            diagnosis=Diagnosis.HUNG,
            saw=(
                f"{len(silent)} of {len(evidence.probes)} probes stayed without an "
                f"answer for up to {waited:.1f} s, health check included"
            ),
        )
    return None


def _both(evidence: MemberEvidence) -> bool:
    return bool(evidence.user_probes) and bool(evidence.health_probes)
