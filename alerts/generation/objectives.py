"""
Objectives are data: the healer exports them, these records give them the labels everything else matches on.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by, of_indicator, remembered
from alerts.generation.rule import Record
from alerts.slo import DAY_SECONDS
from fournines.model.objective import TIMED

_OBJECTIVE = by(c.OBJECTIVE_LABELS)
_NAME = by((*c.SERVICE_LABELS, c.SLO))


def records() -> tuple[Record, ...]:
    """
    Budget in seconds, window, latency threshold as the label `le`, and age, per service.
    """
    return (
        Record(
            c.REC_BUDGET_SECONDS,
            remembered(_with_window(f"* {DAY_SECONDS}"), c.REC_BUDGET_SECONDS),
        ),
        Record(
            c.REC_WINDOW_DAYS,
            remembered(
                f"max by ({_NAME}) ({c.WINDOW_DAYS})"
                f" + on ({_NAME}) group_right ()"
                f" 0 * {c.REC_BUDGET_SECONDS}",
                c.REC_WINDOW_DAYS,
            ),
        ),
        Record(
            c.REC_THRESHOLD,
            remembered(f"max by ({_NAME}) ({c.LATENCY_THRESHOLD})", c.REC_THRESHOLD),
        ),
        Record(
            c.REC_THRESHOLD_INFO,
            f'count_values by ({_OBJECTIVE}) ("{c.LE}",\n'
            f"  0 * {of_indicator(c.REC_BUDGET_SECONDS, *sorted(TIMED))}\n"
            f"  + on ({_NAME}) group_left () {c.REC_THRESHOLD}\n)",
        ),
        Record(
            c.REC_SERVICE_AGE,
            remembered(
                f"max by ({by(c.SERVICE_LABELS)}) ({c.SERVICE_AGE})",
                c.REC_SERVICE_AGE,
            ),
        ),
    )


def _with_window(scale: str) -> str:
    return (
        f"max by ({_OBJECTIVE}) ({c.BUDGET_RATIO})\n"
        f"* on ({_NAME}) group_left ()"
        f" max by ({_NAME}) ({c.WINDOW_DAYS}) {scale}"
    )
