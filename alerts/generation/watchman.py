"""
Who watches the watchman: alerts on the healer itself. They wake people; the healer does not heal itself by them.

That it is down at all, and that its host is, is the business of others: see blind.py and docs/watching.md.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by
from alerts.generation.rule import AlertRule

ANSWER_SECONDS_MAX = 1.0
"""From a message's first byte to its answer, commit included; milliseconds when all is well."""

INBOX_SECONDS_MAX = 30
"""An alert is sorted into its case within a second or two."""

UNATTENDED_SECONDS = 120
"""Cases wait for a bed in a storm; a treatment takes some ten seconds."""

VIEW_SECONDS_MAX = 60
"""The cloud is read every four seconds; each reading is some ten calls, and each call may be tried again."""

LOOP_SECONDS_MAX = 90
"""Beyond the longest pause and the longest single round that was ever measured."""

REFUSALS_MAX = 20
"""In ten minutes, for one reason: somebody should know why so much is not being done."""

LOST_SECONDS = 30
"""The healer itself tells at once; this is for where that had no address, or did not get through."""

RESTARTS_MAX = 3
"""In fifteen minutes."""

_PASSING = "busy|calming|cool-down|disruptions|nothing-wrong"
"""Reasons that pass by themselves, and happen all the time."""


def alerts() -> tuple[AlertRule, ...]:
    """
    Slow, behind, blind, alone, or without success.
    """
    page, ticket = c.Severity.PAGE, c.Severity.TICKET
    return (
        _own(
            c.Alert.HEALER_SLOW,
            f"histogram_quantile(0.99, sum by ({c.LE}) "
            f"(rate({c.ANSWER_BUCKET}[1m]))) > {ANSWER_SECONDS_MAX:g}\n"
            f'or max({c.LOOP_AGE}{{loop!="reconcile"}}) > {LOOP_SECONDS_MAX}',
            "The healer is slow: its door or one of its loops takes {{ $value }} s",
            page,
            for_seconds=10,
        ),
        _own(
            c.Alert.INBOX_BACKING_UP,
            f"max({c.INBOX_AGE}) > {INBOX_SECONDS_MAX}",
            "Alerts wait {{ $value }} s in the inbox and get no case",
            page,
        ),
        _own(
            c.Alert.CASES_UNATTENDED,
            f"max({c.CASES_UNATTENDED}) > 0",
            "{{ $value }} open cases have been treated by no healer for two minutes",
            page,
            for_seconds=UNATTENDED_SECONDS,
        ),
        _own(
            c.Alert.CASE_PAGED,
            f"sum by ({by(c.SERVICE_LABELS)}) "
            f'(increase({c.CASES_ENDED}{{state="paged"}}[15m])) > 0',
            "{{ $labels.service }}: a case ended with a call for a person; see `fournines cases`",
            page,
        ),
        _own(
            c.Alert.APPROVAL_WAITING,
            f"max({c.APPROVALS_WAITING}) > 0",
            "{{ $value }} plans that cannot be undone wait for a person's word; see `fournines approve`",
            page,
        ),
        *_blind(),
        _own(
            c.Alert.REFUSALS_PILING_UP,
            f'sum by (reason) (increase({c.REFUSALS}{{reason!~"{_PASSING}"}}[10m])) '
            f"> {REFUSALS_MAX}",
            "{{ $value }} refusals for {{ $labels.reason }} within ten minutes",
            ticket,
        ),
        _own(
            c.Alert.HEALER_RESTARTING,
            f"changes(max({c.PROCESS_START}"
            f'{{job="{c.Job.HEALER}"}})[15m:10s]) > {RESTARTS_MAX}',
            "The healer was started {{ $value }} times within a quarter of an hour",
            ticket,
        ),
    )


def _blind() -> tuple[AlertRule, ...]:
    """
    What it works with does not answer.
    """
    page = c.Severity.PAGE
    return (
        _own(
            c.Alert.CLOUD_UNREAD,
            f"max({c.VIEW_AGE}) > {VIEW_SECONDS_MAX}",
            "The healer could not read the cloud for {{ $value }} s: it acts on nothing it cannot see",
            page,
        ),
        _own(
            c.Alert.STORE_DOWN,
            f"max({c.STORE_UP}) == 0",
            "The healer's database does not answer: alerts are refused and come again, nothing is begun",
            page,
            for_seconds=5,
        ),
        *(
            _own(
                c.Alert.SENSE_LOST,
                f'min by (sense) ({c.SENSE_UP}{{sense{which}"prefect.*"}}) == 0',
                "The healer has lost a sense: {{ $labels.sense }} does not answer; see `fournines cases --open`",
                severity,
                for_seconds=LOST_SECONDS,
            )
            for which, severity in (("!~", page), ("=~", c.Severity.TICKET))
        ),
    )


def _own(
    alert: c.Alert,
    expr: str,
    summary: str,
    severity: c.Severity,
    *,
    for_seconds: int = 0,
) -> AlertRule:
    return AlertRule(
        alert, expr, severity, c.Tier.BLIND, summary, for_seconds=for_seconds
    )
