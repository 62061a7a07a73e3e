"""
The promise of a batch service: tasks that may begin do so within `start_seconds`.

Its controller counts each task once, as in time when it begins, or as late when its promise is over, whether it ever begins or not. What waits for
reasons of its own, or because its owner allows no more workers, is not late (blueprints/batch/guest/figures.py).

The healer is not woken by it: a sick worker or controller shows by its probes, and workers for what waits are the batch service's own business. A
burn alert for the healer would hold back what takes workers away.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by, of_indicator, per_objective
from alerts.generation.rule import Record
from fournines.model.objective import Indicator

_SERVICE = by(c.SERVICE_LABELS)
_OBJECTIVES = of_indicator(c.REC_BUDGET_SECONDS, Indicator.STARTS)


def records(window: str) -> tuple[Record, ...]:
    """
    Tasks that were late and all that came to their promise's end, per second and objective.
    """
    return (
        Record(
            c.errors_over(window),
            per_objective(_OBJECTIVES, _rate(window, f', {c.PROMISE}="late"')),
            {c.INDICATOR: Indicator.STARTS},
        ),
        Record(c.total_over(window), per_objective(_OBJECTIVES, _rate(window, ""))),
    )


def only_people() -> str:
    """
    A clause that keeps this promise from the healer.
    """
    return f"unless on ({_SERVICE}, {c.SLO}) {_OBJECTIVES}"


def _rate(window: str, selector: str) -> str:
    counted = f'{c.BATCH_STARTED}{{job="{c.Job.MEMBERS}"{selector}}}'
    return f"sum by ({_SERVICE}) (rate({counted}[{window}]))"
