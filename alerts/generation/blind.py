"""
Watching the watchers: absent data is no good news. These wake people and never heal; the Watchdog always rings, so that its silence tells
the healer that the chain is broken.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation import transactions
from alerts.generation.promql import HEALER_UP, by, of_indicator, of_job
from alerts.generation.rule import AlertRule
from fournines.model.objective import TIMED, Indicator

BLIND_SECONDS = 5
"""With a scrape a second, five missed ones are no hiccup; a blind alarm has to come within ten."""

SETTLE_SECONDS = 60
"""A new service's targets need some seconds to be found."""

WATCHDOG_SECONDS_MAX = 15
"""The Watchdog is sent every 5 s: three are missing."""

WATCHDOG = AlertRule(
    c.Alert.WATCHDOG,
    "vector(1)",
    c.Severity.NONE,
    c.Tier.ALIVE,
    "The way from rules to the healer is open (this alert always rings)",
)

_SERVICE = by(c.SERVICE_LABELS)
_MEMBER = by(c.MEMBER_LABELS)
_GROUP = by((*c.SERVICE_LABELS, c.GROUP))


def alerts() -> tuple[AlertRule, ...]:
    """
    Measurements missing, then the machinery itself.
    """
    return _measurements() + _machinery()


def _blind(
    alert: c.Alert,
    expr: str,
    summary: str,
    *,
    for_seconds: int = 0,
    severity: c.Severity = c.Severity.PAGE,
) -> AlertRule:
    return AlertRule(
        alert, expr, severity, c.Tier.BLIND, summary, for_seconds=for_seconds
    )


def _measurements() -> tuple[AlertRule, ...]:
    info = of_indicator(c.REC_BUDGET_SECONDS, *sorted(TIMED))
    at_the_edge = of_indicator(
        c.REC_BUDGET_SECONDS, Indicator.AVAILABILITY, Indicator.LATENCY
    )
    tried = of_indicator(c.REC_BUDGET_SECONDS, *transactions.INDICATORS)
    begun = of_indicator(c.REC_BUDGET_SECONDS, Indicator.STARTS)
    return (
        _blind(
            c.Alert.BLIND_LOAD_BALANCER,
            f"max by ({_SERVICE}) ({at_the_edge})\n"
            f"and on ({_SERVICE}) {c.REC_SERVICE_AGE} >= {SETTLE_SECONDS}\n"
            f"unless on ({_SERVICE}) {c.POOL_RESPONSES}",
            "{{ $labels.service }}: its load balancer gives no measurements",
            for_seconds=BLIND_SECONDS,
        ),
        _blind(
            c.Alert.BLIND_MEMBERS,
            f"count by ({_GROUP}) (\n"
            f"  {c.REC_MEMBER_WEIGHT} > 0\n"
            f"  unless on ({_MEMBER}) {of_job(c.UP, c.Job.MEMBERS)}\n"
            f"  unless on ({_MEMBER}) {of_job(c.UP, c.Job.PROBES)}\n)",
            "{{ $labels.service }}: {{ $value }} members are neither scraped nor probed",
            for_seconds=SETTLE_SECONDS,
        ),
        _blind(
            c.Alert.BLIND_PROBES,
            f"max by ({_SERVICE}) ({of_job(c.UP, c.Job.PROBES)}) == 0",
            "{{ $labels.service }}: the prober does not answer",
            for_seconds=BLIND_SECONDS,
        ),
        _blind(
            c.Alert.BLIND_LATENCY,
            f"{info}\nunless {c.errors_over('1m')}"
            f" and on ({_SERVICE}) {c.REC_SERVICE_AGE} >= {SETTLE_SECONDS}",
            "{{ $labels.service }} ({{ $labels.slo }}): no bucket of its"
            " histogram ends at the objective's threshold",
            for_seconds=SETTLE_SECONDS,
            severity=c.Severity.TICKET,
        ),
        _blind(
            c.Alert.BLIND_TRANSACTIONS,
            f"max by ({_SERVICE}) ({tried})\n"
            f"and on ({_SERVICE}) {c.REC_SERVICE_AGE} >= {SETTLE_SECONDS}\n"
            f"unless on ({_SERVICE}) {c.tried_over('1m')} > 0\n"
            f"and on () {HEALER_UP}",
            "{{ $labels.service }}: nobody tries it, and nobody knows whether it serves",
            for_seconds=SETTLE_SECONDS,
        ),
        _blind(
            c.Alert.BLIND_STARTS,
            f"max by ({_SERVICE}) ({begun})\n"
            f"and on ({_SERVICE}) {c.REC_SERVICE_AGE} >= {SETTLE_SECONDS}\n"
            f"unless on ({_SERVICE}) {of_job(c.BATCH_SILENT, c.Job.MEMBERS)} < {SETTLE_SECONDS}",
            "{{ $labels.service }}: its controller does not say whether tasks begin",
            for_seconds=SETTLE_SECONDS,
            severity=c.Severity.TICKET,
        ),
    )


def _machinery() -> tuple[AlertRule, ...]:
    healer = of_job(c.UP, c.Job.HEALER)
    return (
        _blind(
            c.Alert.BLIND_WATCHDOG,
            f"min({c.WATCHDOG_AGE}) > {WATCHDOG_SECONDS_MAX}",
            "Alerts do not reach the healer: it has had no Watchdog for {{ $value }} s",
        ),
        _blind(
            c.Alert.HEALER_DOWN,
            f"max(max_over_time({healer}[{BLIND_SECONDS}s])) == 0\nor absent({healer})",
            "The healer does not answer: nothing heals, nothing finds new targets",
            for_seconds=BLIND_SECONDS,
        ),
        _blind(
            c.Alert.RULES_FAILING,
            f"sum by (rule_group) (increase({c.RULE_FAILURES}[1m])) > 0",
            "Rules of {{ $labels.rule_group }} cannot be evaluated",
        ),
        _blind(
            c.Alert.RULES_LATE,
            f"sum by (rule_group) (increase({c.RULE_MISSES}[5m])) > 5",
            "Rules of {{ $labels.rule_group }} take longer than their interval",
            severity=c.Severity.TICKET,
        ),
        _blind(
            c.Alert.NOTIFICATIONS_FAILING,
            f"sum(increase({c.NOTIFICATIONS_DROPPED}[1m])) > 0\n"
            f'or sum(increase({c.NOTIFICATIONS_FAILED}{{integration="webhook"}}[1m]))'
            " > 0",
            "Alerts are lost between Prometheus, Alertmanager and the healer",
        ),
        _blind(
            c.Alert.HEALING_OFF,
            f"max({c.HEALING_ENABLED}) == 0",
            "Healing has been switched off for an hour",
            for_seconds=3_600,
            severity=c.Severity.TICKET,
        ),
    )
