"""
What users saw: requests counted as good or bad over spans of time. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request: when it started (epoch seconds), how long it took, and its status (0: no answer).
    """

    started: float
    seconds: float
    status: int


@dataclass(frozen=True, slots=True)
class Tally:
    """
    A span's requests.

    Attributes:
        failed: 5xx or no answer.
        slow: Answered well, but slower than promised.
    """

    requests: int
    failed: int
    slow: int
    p50_seconds: float
    p99_seconds: float

    @property
    def bad(self) -> int:
        """
        What counts against the budget.
        """
        return self.failed + self.slow


def parse(text: str) -> tuple[list[Request], str]:
    """
    The whole lines of a load file's text, and the unfinished rest of it.
    """
    *lines, rest = text.split("\n")
    return [Request(*json.loads(line)) for line in lines if line], rest


def read(file: Path) -> list[Request]:
    """
    All requests of a load file.
    """
    return parse(file.read_text())[0]


def between(requests: Iterable[Request], start: float, end: float) -> list[Request]:
    """
    Those that started within [start, end).
    """
    return [r for r in requests if start <= r.started < end]


def tally(requests: Sequence[Request], threshold_seconds: float) -> Tally:
    """
    Count a span. `threshold_seconds` is the latency objective's.
    """
    failed = [r for r in requests if r.status >= _SERVER_ERROR or r.status == 0]
    answered = [r for r in requests if 0 < r.status < _SERVER_ERROR]
    slow = [r for r in answered if r.seconds > threshold_seconds]
    times = sorted(r.seconds for r in requests)
    return Tally(
        requests=len(requests),
        failed=len(failed),
        slow=len(slow),
        p50_seconds=_quantile(times, 0.5),
        p99_seconds=_quantile(times, 0.99),
    )


def budget_seconds(bad: int, rate: float) -> float:
    """
    Seconds of full outage that so many bad requests amount to at this rate (docs/slo.md).
    """
    return bad / rate


def _quantile(ordered: Sequence[float], q: float) -> float:
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]
