"""
Service level indicators: bad and all requests per second, recorded apart, per objective.

Availability counts at the load balancer's edge, per pool: 5xx, which includes the 503 and 504 it answers itself. Per pool and not per
listener, because the listener that serves the metrics counts its own scrapes.

Latency: Octavia's proxies give averages, no histogram, so slow requests are counted by the members' own histograms, in the bucket that
ends at the objective's threshold. What failed at the edge was not fast either and counts too: a hanging member's time-outs never reach
its histogram.

Who speaks no HTTP is judged by our own transactions through its load balancer (alerts/generation/transactions.py), a batch service by how soon
tasks begin (alerts/generation/starts.py).
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation import starts, transactions
from alerts.generation.promql import (
    by,
    of_indicator,
    of_job,
    per_objective,
    slower_than_promised,
)
from alerts.generation.rule import Record
from fournines.model.objective import Indicator

FAST_WINDOWS = ("10s", "30s", "1m")
MEDIUM_WINDOW = "5m"

_SERVICE = by(c.SERVICE_LABELS)


def records(window: str) -> tuple[Record, ...]:
    """
    Bad and all requests per second over a window of raw samples: at each service's edge, then per objective.
    """
    return (
        Record(c.edge_errors_over(window), _edge(window, f'{{{c.CODE}="5xx"}}')),
        Record(c.edge_total_over(window), _edge(window, "")),
        Record(
            c.errors_over(window),
            per_objective(
                of_indicator(c.REC_BUDGET_SECONDS, Indicator.AVAILABILITY),
                c.edge_errors_over(window),
            ),
            {c.INDICATOR: Indicator.AVAILABILITY},
        ),
        Record(
            c.errors_over(window),
            _latency_errors(window),
            {c.INDICATOR: Indicator.LATENCY},
        ),
        Record(
            c.total_over(window),
            per_objective(
                of_indicator(
                    c.REC_BUDGET_SECONDS, Indicator.AVAILABILITY, Indicator.LATENCY
                ),
                c.edge_total_over(window),
            ),
        ),
        *transactions.records(window),
        *starts.records(window),
    )


def _edge(window: str, selector: str) -> str:
    return f"sum by ({_SERVICE}) (rate({c.POOL_RESPONSES}{selector}[{window}]))"


def _latency_errors(window: str) -> str:
    answered = (
        f"sum by ({_SERVICE}) (rate({of_job(c.APP_COUNT, c.Job.MEMBERS)}[{window}]))"
    )
    in_time = (
        f"sum by ({_SERVICE}, {c.LE})"
        f" (rate({of_job(c.APP_BUCKET, c.Job.MEMBERS)}[{window}]))"
    )
    slow = slower_than_promised(Indicator.LATENCY, answered, in_time)
    return f"{slow}\n+ on ({_SERVICE}) group_left () {c.edge_errors_over(window)}"
