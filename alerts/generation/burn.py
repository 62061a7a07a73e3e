"""
Alerts on budgets: any service, any objective, the same few rules.

Errors are compared with `share x budget seconds / window x all requests`, so that nothing is divided and quiet services make no NaN.
The hour and the six hours need not wait for their slow levels: what the last five minutes alone have spent suffices.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation import starts, transactions
from alerts.generation.rule import AlertRule
from alerts.slo import ERRORS_MIN, BurnTier, tier, window_text

_WHAT = "{{ $labels.service }} ({{ $labels.slo }})"
_RECENT_SECONDS = 300


def alert(name: c.Alert) -> AlertRule:
    """
    The rule of one tier.
    """
    chosen = tier(name)
    return AlertRule(
        name,
        _expr(chosen),
        chosen.severity,
        c.Tier.BURN,
        f"{_WHAT} has spent {chosen.budget_share:.2%} of its budget within"
        f" {window_text(chosen.long_seconds)}",
    )


def _expr(chosen: BurnTier) -> str:
    long = _aged(_burning(chosen, chosen.long_seconds), chosen.age_seconds_min)
    if chosen.severity is c.Severity.PAGE:
        long = f"({long}\nor\n{_aged(_spent_recently(chosen), _RECENT_SECONDS)})"
    short = window_text(chosen.short_seconds)
    expr = (
        f"{long}\n"
        f"and {_burning(chosen, chosen.short_seconds)}\n"
        f"and {c.errors_over(short)} * {chosen.short_seconds} > {ERRORS_MIN}"
    )
    if chosen.severity is c.Severity.PAGE:
        expr += f"\n{transactions.longer_than_a_failover(short, chosen.short_seconds)}"
    if chosen.severity is c.Severity.HEAL:
        expr += f"\n{starts.only_people()}"
    return expr


def _burning(chosen: BurnTier, seconds: int) -> str:
    window = window_text(seconds)
    return (
        f"{c.errors_over(window)} > {chosen.budget_share:g} / {chosen.long_seconds}"
        f" * {c.REC_BUDGET_SECONDS} * {c.total_over(window)}"
    )


def _spent_recently(chosen: BurnTier) -> str:
    window = window_text(_RECENT_SECONDS)
    return (
        f"{c.errors_over(window)} * {_RECENT_SECONDS} > {chosen.budget_share:g}"
        f" * {c.REC_BUDGET_SECONDS} * {c.total_over(window)}"
    )


def _aged(expr: str, seconds: int) -> str:
    service = ", ".join(c.SERVICE_LABELS)
    return f"({expr}\nand on ({service}) {c.REC_SERVICE_AGE} >= {seconds})"
