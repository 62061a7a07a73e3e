"""
Service level indicators: bad and all requests per second, recorded apart, per objective.

Availability counts at the load balancer's edge, per pool: 5xx, which includes the 503 and 504 it answers itself. Per pool and not per
listener, because the listener that serves the metrics counts its own scrapes.

Latency: Octavia's proxies give averages, no histogram, so slow requests are counted by the members' own histograms, in the bucket that
ends at the objective's threshold. What failed at the edge was not fast either and counts too: a hanging member's time-outs never reach
its histogram.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by, of_job
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
            _per_objective(
                f'{c.REC_BUDGET_SECONDS}{{{c.INDICATOR}="{Indicator.AVAILABILITY}"}}',
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
            _per_objective(c.REC_BUDGET_SECONDS, c.edge_total_over(window)),
        ),
    )


def _edge(window: str, selector: str) -> str:
    return f"sum by ({_SERVICE}) (rate({c.POOL_RESPONSES}{selector}[{window}]))"


def _per_objective(objectives: str, of_service: str) -> str:
    """
    A service's value under each of its objectives.
    """
    return f"0 * {objectives}\n+ on ({_SERVICE}) group_left () {of_service}"


def _latency_errors(window: str) -> str:
    answered = (
        f"sum by ({_SERVICE}) (rate({of_job(c.APP_COUNT, c.Job.MEMBERS)}[{window}]))"
    )
    in_time = (
        f"sum by ({_SERVICE}, {c.LE})"
        f" (rate({of_job(c.APP_BUCKET, c.Job.MEMBERS)}[{window}]))"
    )
    return (
        f"clamp_min(\n"
        f"  sum by ({by(c.OBJECTIVE_LABELS)}) (\n"
        f"    0 * {c.REC_THRESHOLD_INFO}\n"
        f"    + on ({_SERVICE}) group_left () {answered}\n"
        f"    - on ({by((*c.OBJECTIVE_LABELS, c.LE))}) (\n"
        f"      0 * {c.REC_THRESHOLD_INFO}\n"
        f"      + on ({_SERVICE}, {c.LE}) group_left () {in_time}\n"
        f"    )\n"
        f"  ), 0\n)\n"
        f"+ on ({_SERVICE}) group_left () {c.edge_errors_over(window)}"
    )
