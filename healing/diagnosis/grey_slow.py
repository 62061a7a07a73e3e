"""
Grey slow: the health check is quick, users wait.

Slow is meant against the peers: when all are slow, the members are not the cause (load, a dependency) and replacing one helps nobody.
Where our probes ask a page beside the service (a database's, a bus') its time is no user's: transactions tell of that, and nobody is replaced for it.
"""

from __future__ import annotations

from alerts.generation.causes import SLOW_FACTOR, SLOW_SECONDS_MIN
from fournines.model.case import Diagnosis
from fournines.model.probing import Answer, ProbeResult
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.evidence import MemberEvidence


def look(evidence: MemberEvidence) -> Finding | None:
    """
    Whether users wait for this member and not for its peers.
    """
    if not evidence.users_wait:
        return None
    if not evidence.health_probes or not evidence.health_probes[-1].good:
        return None
    peers = evidence.peer_seconds
    mute = sum(probe.answer is Answer.SILENT for probe in evidence.peer_probes)
    if peers is None or 2 * mute > len(evidence.peer_probes):
        return None
    limit = max(SLOW_SECONDS_MIN, SLOW_FACTOR * peers)
    slow = [probe for probe in evidence.user_probes if _slow(probe, limit)]
    if len(slow) < SAMPLES_MIN:
        return None
    return Finding(
        diagnosis=Diagnosis.GREY_SLOW,
        saw=(
            f"the health check is green, yet {len(slow)} of "
            f"{len(evidence.user_probes)} requests on the users' path took up to "
            f"{max(probe.seconds for probe in slow):.2f} s, its peers {peers:.3f} s"
        ),
    )


def _slow(probe: ProbeResult, limit: float) -> bool:
    return probe.answer is Answer.SILENT or (probe.good and probe.seconds > limit)
