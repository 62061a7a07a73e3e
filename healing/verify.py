"""
Healed means measured: a case closes when fresh observations stayed good for a soak time.

Only observations made after the remedy count, and only looks that really saw something: a look that could not see is neither good nor bad,
and it breaks no soak and ends none. So too when time is up: a remedy has failed when it was seen to fail; good looks that are only too few
yet are waited for, and where nothing can be seen the verdict says that, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from alerts.generation.causes import SLOW_FACTOR, SLOW_SECONDS_MIN
from healing.diagnosis import blind
from healing.diagnosis.blind import ALIVE
from healing.diagnosis.grey_errors import ERROR_RATIO_MIN
from healing.evidence import MemberEvidence

LOOKS_MIN = 3
"""Good looks within the soak: a soak with one look at each end would prove little."""

BAD_LOOKS_MIN = 2
"""Bad looks on end, when time is up: a single one may be an old reading."""

LATE_SOAKS = 2
"""Soak times beyond the deadline until it is said that too little could be seen."""


class Verdict(StrEnum):
    """
    What the measurements say.
    """

    RECOVERED = "recovered"
    WAIT = "wait"
    NOT_RECOVERED = "not-recovered"
    UNSEEN = "unseen"


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
    cut = blind.look(evidence)
    if cut is not None:
        return Look(evidence.at, None, cut.saw)
    if evidence.instance_status is None:
        return Look(evidence.at, False, f"{evidence.instance} is not there")
    if not evidence.probes:
        alive = evidence.operating_status in ALIVE
        saw = (
            "the load balancer calls it healthy" if alive else "no probe could be made"
        )
        return Look(evidence.at, alive or None, saw)
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
    out = evidence.operating_status not in ALIVE or evidence.weight == 0
    if evidence.pooled and out:
        status = evidence.operating_status or "no member"
        return f"the load balancer says {status}, weight {evidence.weight}"
    return None


def _degraded(evidence: MemberEvidence) -> str | None:
    """
    What is wrong behind good answers: slow against the peers, or errors that probes miss.
    """
    slow = max((p.seconds for p in evidence.user_probes), default=0.0)
    peers = evidence.peer_seconds if evidence.users_wait else None
    if peers is not None and slow > max(SLOW_SECONDS_MIN, SLOW_FACTOR * peers):
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
        deadline: After it, a remedy that is seen to be bad has failed.
    """
    seen = [look for look in looks if look.good is not None]
    stretch = list(takewhile(lambda look: look.good, reversed(seen)))
    if len(stretch) >= LOOKS_MIN:
        lasted = stretch[0].at - stretch[-1].at
        if lasted >= timedelta(seconds=soak_seconds):
            return Verdict.RECOVERED
    if now < deadline:
        return Verdict.WAIT
    bad = list(takewhile(lambda look: not look.good, reversed(seen)))
    if len(bad) >= BAD_LOOKS_MIN and bad[0].at >= deadline:
        return Verdict.NOT_RECOVERED
    late = [look for look in looks if look.at >= deadline]
    end = deadline + timedelta(seconds=LATE_SOAKS * soak_seconds)
    if now < end or len(late) < LOOKS_MIN:
        return Verdict.WAIT
    flaps = any(look.good is False for look in late)
    return Verdict.NOT_RECOVERED if flaps else Verdict.UNSEEN
