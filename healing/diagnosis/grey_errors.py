"""
Grey errors: the health check is green, users get errors.

No load balancer finds this: it trusts the health check. Two samples are needed, and one of them is our own probe; the other may
be the error ratio that the load balancer measured, because a member that fails one request in three slips through two probes.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from fournines.model.probing import Answer
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.evidence import MemberEvidence

ERROR_RATIO_MIN = 0.2
"""The alert's own threshold (docs/slo.md): it never cried wolf."""


def look(evidence: MemberEvidence) -> Finding | None:
    """
    Whether users get errors behind a green health check.
    """
    if not evidence.health_probes or not evidence.health_probes[-1].good:
        return None
    errors = [
        probe for probe in evidence.bad_user_probes if probe.answer is Answer.STATUS
    ]
    ratio = evidence.error_ratio
    measured = ratio is not None and ratio > ERROR_RATIO_MIN
    if not errors or len(errors) + measured < SAMPLES_MIN:
        return None
    at_edge = f", {ratio:.0%} errors at the load balancer" if ratio is not None else ""
    return Finding(
        diagnosis=Diagnosis.GREY_ERRORS,
        saw=(
            f"the health check is green, yet {len(errors)} of "
            f"{len(evidence.user_probes)} requests on the users' path failed "
            f"(status {errors[-1].status}){at_edge}"
        ),
    )
