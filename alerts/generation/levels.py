"""
Longer windows, each level averaging the one below, so that a month costs as little as a minute. Division comes last: averaging rates of
errors and of all requests apart keeps the result weighted by traffic.
"""

from __future__ import annotations

from collections.abc import Callable

from alerts import conventions as c
from alerts.generation.rule import Record
from alerts.slo import BUDGET_WINDOWS_DAYS, DAY_SECONDS, MINUTE_SECONDS

MINUTE_LEVEL = "minute"
FIVE_MINUTE_LEVEL = "five_minutes"

_FIVE_MINUTES_SECONDS = 300


def minute_records() -> tuple[Record, ...]:
    """
    One sample a minute of the last minute, and the windows up to an hour.
    """
    copies = tuple(Record(f"{sli}:{MINUTE_LEVEL}", f"{sli}:rate1m") for sli in _SERIES)
    return copies + _averages(MINUTE_LEVEL, ("30m", "1h"))


def five_minute_records() -> tuple[Record, ...]:
    """
    One sample every five minutes, the windows from six hours, and what the budget needs of the days before today.
    """
    copies = tuple(
        Record(f"{sli}:{FIVE_MINUTE_LEVEL}", f"avg_over_time({sli}:{MINUTE_LEVEL}[5m])")
        for sli in _SERIES
    )
    return (
        *copies,
        *_averages(FIVE_MINUTE_LEVEL, ("6h", "3d")),
        Record(c.REC_ERRORS_OLDER, _per_window(_older)),
        Record(c.REC_TOTAL_MEAN, _per_window(_mean)),
    )


def budget_records() -> tuple[Record, ...]:
    """
    What of each budget is spent, in seconds of full outage at the window's mean traffic, and what share is left.

    The time before the service was measured counts as good with the same traffic: a month's budget is a month's, on its first day too.
    """
    today = f"{MINUTE_SECONDS} * sum_over_time({c.SLI_ERRORS}:{MINUTE_LEVEL}[1d])"
    mean = f"({c.REC_TOTAL_MEAN} or avg_over_time({c.SLI_TOTAL}:{MINUTE_LEVEL}[1d]))"
    return (
        Record(
            c.REC_BUDGET_SPENT,
            f"({today} + ({c.REC_ERRORS_OLDER} or 0 * {today}))\n/ ({mean} > 0)",
        ),
        Record(
            c.REC_BUDGET_REMAINING,
            f"1 - {c.REC_BUDGET_SPENT} / {c.REC_BUDGET_SECONDS}",
        ),
    )


_SERIES = (c.SLI_ERRORS, c.SLI_TOTAL)


def _averages(level: str, windows: tuple[str, ...]) -> tuple[Record, ...]:
    return tuple(
        Record(f"{sli}:rate{window}", f"avg_over_time({sli}:{level}[{window}])")
        for window in windows
        for sli in _SERIES
    )


def _older(days: int) -> str:
    """
    Bad requests of the window up to a day ago: the last day is added from minutes.
    """
    return (
        f"{_FIVE_MINUTES_SECONDS}"
        f" * sum_over_time({c.SLI_ERRORS}:{FIVE_MINUTE_LEVEL}"
        f"[{days - 1}d] offset {DAY_SECONDS // 3_600}h)"
    )


def _mean(days: int) -> str:
    return f"avg_over_time({c.SLI_TOTAL}:{FIVE_MINUTE_LEVEL}[{days}d])"


def _per_window(expr_of: Callable[[int], str]) -> str:
    """
    Each objective's value over its own window: a window counts as the next longer of the few that are kept.
    """
    shorter = 0
    parts = []
    for days in BUDGET_WINDOWS_DAYS:
        parts.append(
            f"({expr_of(days)} and ({c.REC_WINDOW_DAYS} > {shorter}) <= {days})"
        )
        shorter = days
    return "\nor ".join(parts)
