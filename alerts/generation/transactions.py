"""
Our own transactions as service level indicators, for services whose users speak no HTTP.

The healer tries each such service about every second, as its users do, and a try that took longer counts for the tries that it kept from being made
(flows/transactions.py). So there is one a second, good or bad, and bad seconds are seconds of outage, whatever the service's traffic.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import (
    by,
    of_indicator,
    per_objective,
    slower_than_promised,
)
from alerts.generation.rule import Record
from fournines.model.objective import Indicator

FAILOVER_SECONDS = 20
"""What a service's own failover may take (docs/postgres.md measures up to 14.5 s): until then nobody is woken, it is being cured."""

INDICATORS = (Indicator.TRANSACTIONS, Indicator.TRANSACTION_TIME)

_SERVICE = by(c.SERVICE_LABELS)
_HEALER = f'job="{c.Job.HEALER}"'
_OK = f'{c.OUTCOME}="ok"'


def records(window: str) -> tuple[Record, ...]:
    """
    Failed and all transactions per second, then per objective.
    """
    in_time = (
        f"sum by ({_SERVICE}, {c.LE})"
        f" (rate({c.TRANSACTION_BUCKET}{{{_HEALER}, {_OK}}}[{window}]))"
    )
    return (
        Record(c.failed_over(window), _tried(window, f', {c.OUTCOME}="failed"')),
        Record(c.tried_over(window), _tried(window, "")),
        Record(
            c.errors_over(window),
            per_objective(
                of_indicator(c.REC_BUDGET_SECONDS, Indicator.TRANSACTIONS),
                c.failed_over(window),
            ),
            {c.INDICATOR: Indicator.TRANSACTIONS},
        ),
        Record(
            c.errors_over(window),
            slower_than_promised(
                Indicator.TRANSACTION_TIME, c.tried_over(window), in_time
            ),
            {c.INDICATOR: Indicator.TRANSACTION_TIME},
        ),
        Record(
            c.total_over(window),
            per_objective(
                of_indicator(c.REC_BUDGET_SECONDS, *INDICATORS),
                c.tried_over(window),
            ),
        ),
    )


def longer_than_a_failover(window: str, seconds: int) -> str:
    """
    A clause that holds back what a service's own failover explains; nothing of what other indicators say.
    """
    bad = of_indicator(c.errors_over(window), *INDICATORS)
    return f"unless {bad} * {seconds} <= {FAILOVER_SECONDS}"


def _tried(window: str, selector: str) -> str:
    counted = f"{c.TRANSACTIONS}{{{_HEALER}{selector}}}"
    return f"sum by ({_SERVICE}) (rate({counted}[{window}]))"
