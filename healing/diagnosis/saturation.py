"""
Saturation: load, not a fault. All members are slow or queue while much more is asked of them than usual.

Replacing a member, or taking one out of its pool, would make it worse; more of them help. Without a measured rate nothing is said:
slow everywhere may as well be a dependency nobody declared.
"""

from __future__ import annotations

from alerts.generation.causes import SLOW_SECONDS_MIN
from fournines.model.case import Diagnosis
from fournines.model.probing import Answer, ProbeResult
from healing.diagnosis.finding import SAMPLES_MIN, Finding
from healing.evidence import MemberEvidence
from healing.scene import Scene

BUSIER_MIN = 1.5
"""Times the last hour's average: less is the day's ordinary up and down."""

QUEUED_RATIO_MIN = 0.8
"""Share of our probes that had to wait: load spreads evenly, a fault does not."""

OVERLOADED = frozenset({429, 503, 504})
"""What servers say when they have too much to do."""


def look(member: Finding, scene: Scene, evidence: MemberEvidence) -> Finding | None:
    """
    Whether the service has more to do than it can.
    """
    rate, usual = scene.load.request_rate, scene.load.usual_rate
    if rate is None or not usual or rate < BUSIER_MIN * usual:
        return None
    if member.diagnosis is Diagnosis.GONE:
        return None
    mine = [_queues(probe) for probe in evidence.user_probes]
    all_probes = [*mine, *(_queues(probe) for probe in evidence.peer_probes)]
    queued = sum(all_probes)
    if sum(mine) < SAMPLES_MIN or not evidence.peer_probes:
        return None
    if queued < QUEUED_RATIO_MIN * len(all_probes):
        return None
    return Finding(
        diagnosis=Diagnosis.SATURATED,
        cause=f"load on {scene.subject.service}",
        saw=(
            f"{rate:.0f} requests a second, {rate / usual:.1f} times the usual, and "
            f"{queued} of {len(all_probes)} probes of all members had to wait"
        ),
    )


def _queues(probe: ProbeResult) -> bool:
    """
    It waited, or was sent away for want of room. A refused connection is no queue.
    """
    if probe.answer is Answer.STATUS:
        return probe.seconds > SLOW_SECONDS_MIN or probe.status in OVERLOADED
    return probe.answer is Answer.SILENT
