"""
What Prometheus says about one member and about a service, in the words of the evidence. Absent stays None.
"""

from __future__ import annotations

from datetime import datetime

from alerts import conventions as c
from fournines import log
from fournines.crew import Crew
from fournines.metrics.protocol import Metrics, MetricsError
from healing.evidence import Measures
from healing.scene import Load

WINDOW = "10s"
"""As the member alerts: fresh enough to act on, long enough for some requests."""

STRIDE = "3s"
"""Three scrapes of a load balancer: the shortest window that always holds two."""

_log = log.get("healing")


def of_member(
    metrics: Metrics,
    *,
    crew: Crew,
    pool_id: str,
    member_id: str,
    instance: str,
    at: datetime,
) -> Measures:
    """
    A member's measures now, each absent one None.
    """
    me = f'{c.MEMBER_ID}="{member_id}"'
    pool = f'{c.POOL_ID}="{pool_id}"'
    answers = f"{c.MEMBER_RESPONSES}{{{me}}}[{WINDOW}]"
    errors = f'{c.MEMBER_RESPONSES}{{{me},{c.CODE}="5xx"}}[{WINDOW}]'
    queries = {
        "error_ratio": f"sum(rate({errors})) / (sum(rate({answers})) > 0)",
        "request_rate": f"sum(rate({answers}))",
        "latency_seconds": f"avg({c.MEMBER_RESPONSE_TIME}{{{me}}})",
        "pool_latency_seconds": f"quantile(0.5, {c.MEMBER_RESPONSE_TIME}{{{pool}}})",
        "sessions": f"sum({c.MEMBER_SESSIONS}{{{me}}})",
        "up": f'max({c.UP}{{{c.INSTANCE_NAME}="{instance}",job="{c.Job.MEMBERS}"}})',
    }
    with crew.hands(len(queries), "measure") as threads:
        values = dict(
            zip(
                queries,
                threads.map(lambda query: value(metrics, query), queries.values()),
                strict=True,
            )
        )
    up = values.pop("up")
    return Measures(at=at, scrape_up=None if up is None else up > 0, **values)


def of_service(metrics: Metrics, *, platform: str, service: str) -> Load:
    """
    A service's load now and over the last hour, this minute not counted.
    """
    where = f'{c.PLATFORM}="{platform}",{c.SERVICE}="{service}"'
    counted = f'{c.APP_COUNT}{{{where},job="{c.Job.MEMBERS}"}}'
    minute = f"{c.edge_total_over('1m')}{{{where}}}"
    return Load(
        request_rate=value(metrics, f"sum({c.edge_total_over('10s')}{{{where}}})"),
        usual_rate=value(metrics, f"sum(avg_over_time({minute}[1h] offset 5m))"),
        arriving_rate=value(metrics, f"sum(rate({counted}[{WINDOW}]))"),
    )


def budget_seconds(
    metrics: Metrics, *, platform: str, service: str, begin: datetime, end: datetime
) -> float | None:
    """
    Seconds of full outage that a service spent between two moments: its share of bad answers, summed second by second.

    What is bad is what the objectives say (slow answers, too, where one promises latency); of several the worst counts. A service without
    objectives has its 5xx counted. Seconds without requests cost nothing. None while nothing was measured.
    """
    span = max(int((end - begin).total_seconds()) + 2, 5)
    where = f'{c.PLATFORM}="{platform}",{c.SERVICE}="{service}"'
    total = f"({c.total_over(WINDOW)}{{{where}}} > 0)"
    promised = f"max(clamp_max({c.errors_over(WINDOW)}{{{where}}} / {total}, 1))"
    bad = f'sum(rate({c.POOL_RESPONSES}{{{where},{c.CODE}="5xx"}}[{STRIDE}]))'
    every = f"sum(rate({c.POOL_RESPONSES}{{{where}}}[{STRIDE}]))"
    edge = f"(({bad} or vector(0)) / ({every} > 0))"
    spent = value(metrics, f"sum_over_time(({promised} or {edge})[{span}s:1s])")
    return None if spent is None else round(spent, 3)


def budget_left_ratio(metrics: Metrics, *, platform: str, service: str) -> float | None:
    """
    The smallest share of budget left among the service's objectives.
    """
    where = f'{c.PLATFORM}="{platform}",{c.SERVICE}="{service}"'
    return value(metrics, f"min({c.REC_BUDGET_REMAINING}{{{where}}})")


def value(metrics: Metrics, query: str) -> float | None:
    """
    The one value of a query; None when there is none, or it is not a number.
    """
    try:
        samples = metrics.instant(query)
    except MetricsError as error:
        _log.warning("measures_missing", error=str(error))
        return None
    found = samples[0].value if samples else None
    return None if found is None or found != found else found  # noqa: PLR0124  NaN
