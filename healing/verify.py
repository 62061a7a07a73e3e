"""
Healed means measured: a case closes when fresh observations stayed good for a soak time.

Only observations made after the remedy count, and only looks that really saw something: a look that could not see is neither good nor bad,
and it breaks no soak and ends none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from healing.diagnosis.blind import ALIVE
from healing.diagnosis.grey_errors import ERROR_RATIO_MIN
from healing.diagnosis.grey_slow import SECONDS_MIN, SLOWER_MIN
from healing.evidence import MemberEvidence

LOOKS_MIN = 3
"""Good looks within the soak: a soak with one look at each end would prove little."""


class Verdict(StrEnum):
    """
    What the measurements say.
    """

    RECOVERED = "recovered"
    WAIT = "wait"
    NOT_RECOVERED = "not-recovered"


@dataclass(frozen=True, slots=True)
class Look:
    """
    One observation. `good` None: nothing was seen.
    """

    at: datetime
    good: bool | None
    saw: str


def judge_look(evidence: MemberEvidence, *, through_front: bool = False) -> Look:
    """
    Whether the member is well in one fresh observation; and users get through to it, where that was the trouble.
    """
    lost = [probe for probe in evidence.front_probes if not probe.good]
    if through_front and lost:
        said = lost[0].status or lost[0].answer
        return Look(evidence.at, False, f"users do not get through ({said})")
    if not evidence.probes:
        if evidence.operating_status in ALIVE:
            return Look(evidence.at, True, "the load balancer calls it healthy")
        return Look(evidence.at, None, "no probe could be made")
    complaint = _unanswered(evidence) or _degraded(evidence)
    if complaint:
        return Look(evidence.at, False, complaint)
    return Look(evidence.at, True, f"all {len(evidence.probes)} probes are good")


def _unanswered(evidence: MemberEvidence) -> str | None:
    """
    What is plainly wrong: a bad answer, or out of the pool.
    """
    bad = [probe for probe in evidence.probes if not probe.good]
    if bad:
        return f"{bad[0].path} gave {bad[0].status or bad[0].answer}"
    if evidence.operating_status not in ALIVE or evidence.weight == 0:
        status = evidence.operating_status or "no member"
        return f"the load balancer says {status}, weight {evidence.weight}"
    return None


def _degraded(evidence: MemberEvidence) -> str | None:
    """
    What is wrong behind good answers: slow against the peers, or errors that probes miss.
    """
    slow = max((p.seconds for p in evidence.user_probes), default=0.0)
    peers = evidence.peer_seconds
    if peers is not None and slow > max(SECONDS_MIN, SLOWER_MIN * peers):
        return f"users wait {slow:.2f} s, peers {peers:.3f} s"
    ratio = evidence.error_ratio
    if ratio is not None and ratio > ERROR_RATIO_MIN:
        return f"{ratio:.0%} errors at the load balancer"
    return None


def judge(
    looks: Sequence[Look],
    *,
    now: datetime,
    soak_seconds: float,
    deadline: datetime,
) -> Verdict:
    """
    Whether the last stretch of good looks is long and dense enough.

    Args:
        looks: Everything observed since the remedy, oldest first.
        now: The present.
        soak_seconds: How long it must have stayed good.
        deadline: After it the remedy has failed.
    """
    seen = [look for look in looks if look.good is not None]
    stretch: list[Look] = []
    for look in reversed(seen):
        if not look.good:
            break
        stretch.append(look)
    if len(stretch) >= LOOKS_MIN:
        lasted = stretch[0].at - stretch[-1].at
        if lasted >= timedelta(seconds=soak_seconds):
            return Verdict.RECOVERED
    return Verdict.WAIT if now < deadline else Verdict.NOT_RECOVERED
