"""
Alerts on what nobody notices until it is needed: backups that are not taken, a log that is not sent, restores that fail or are not tried.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by
from alerts.generation.rule import AlertRule

UNREAD_SECONDS = 600
"""An object store may be away for a while; the database goes on."""

WAIT_SECONDS = 60

_SERVICE = by(c.SERVICE_LABELS)
_WHOSE = "{{ $labels.service }}"


def alerts() -> tuple[AlertRule, ...]:
    """
    One per complaint.
    """
    page, ticket = c.Severity.PAGE, c.Severity.TICKET
    return (
        _alarm(
            c.Alert.BACKUP_TOO_OLD,
            f"{_max(c.BACKUP_AGE)} > {_max(c.BACKUP_AGE_MAX)}\n"
            f"or {_max(c.BACKUPS_KNOWN)} == 1 unless {_max(c.BACKUP_AGE)}\n"
            f"and on ({_SERVICE}) {_max(c.SERVICE_AGE)} > 7200",
            f"{_WHOSE} has no backup of the last two rhythms",
            page,
        ),
        _alarm(
            c.Alert.LOG_NOT_SENT,
            f"{_max(c.BACKUP_LOG_AGE)} > {_max(c.BACKUP_LOG_AGE_MAX)}",
            f"the write-ahead log of {_WHOSE} has not been sent for {{{{ $value }}}} s",
            page,
        ),
        _alarm(
            c.Alert.DRILL_FAILED,
            f"{_max(c.RECOVERABILITY)} == 0",
            f"a backup of {_WHOSE} did not come back whole; see fournines drill",
            page,
        ),
        _alarm(
            c.Alert.DRILL_LATE,
            f"{_max(c.DRILL_AGE)} > {_max(c.DRILL_AGE_MAX)}\n"
            f"or {_max(c.BACKUP_AGE)} > 0 unless {_max(c.DRILL_AGE)}\n"
            f"and on ({_SERVICE}) {_max(c.SERVICE_AGE)} > {_max(c.DRILL_AGE_MAX)}",
            f"no restore of {_WHOSE} has been tried for longer than its rhythm",
            ticket,
        ),
        _alarm(
            c.Alert.BACKUPS_UNREAD,
            f"{_max(c.BACKUPS_KNOWN)} == 0",
            f"nobody can say what is kept of {_WHOSE}: its bucket cannot be read",
            ticket,
            UNREAD_SECONDS,
        ),
    )


def _max(metric: str) -> str:
    return f"max by ({_SERVICE}) ({metric})"


def _alarm(
    alert: c.Alert,
    expr: str,
    summary: str,
    severity: c.Severity,
    seconds: int = WAIT_SECONDS,
) -> AlertRule:
    return AlertRule(alert, expr, severity, c.Tier.BLIND, summary, for_seconds=seconds)
