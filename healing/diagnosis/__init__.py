"""
One engine per file: each looks at the evidence of one member and says what it sees, or nothing.

The order matters: what makes the others meaningless comes first.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from healing.diagnosis import (
    blind,
    failing,
    gone,
    grey_errors,
    grey_slow,
    hung,
    nothing,
)
from healing.diagnosis.finding import Finding
from healing.evidence import MemberEvidence

ENGINES = (
    blind.look,
    gone.look,
    hung.look,
    failing.look,
    grey_errors.look,
    grey_slow.look,
    nothing.look,
)


def diagnose(evidence: MemberEvidence) -> Finding:
    """
    The first engine's finding; `unknown`, to be looked at again, when none is sure.
    """
    for look in ENGINES:
        finding = look(evidence)
        if finding is not None:
            return finding
    bad = sum(not probe.good for probe in evidence.probes)
    return Finding(
        diagnosis=Diagnosis.UNKNOWN,
        saw=f"{bad} of {len(evidence.probes)} probes failed: too little to say why",
        again=True,
    )
