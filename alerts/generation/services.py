"""
Alerts on what a platform service says of itself and no user's request shows yet: a message bus that blocks its publishers, a cache that refuses
writes. A person is called: the cure is consumers, memory or disk, which nobody but the service's owner can give.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by, of_job
from alerts.generation.rule import AlertRule

ALARM_SECONDS = 10
"""RabbitMQ's alarms come and go with a burst; one that lasts is no burst."""

_MEMBER = by(c.MEMBER_LABELS)
_SERVICE = by(c.SERVICE_LABELS)
_WHO = "{{ $labels.instance_name }}"


def alerts() -> tuple[AlertRule, ...]:
    """
    One per complaint.
    """
    good = of_job(c.CACHE_GOOD_REPLICAS, c.Job.MEMBERS)
    leads = of_job(c.CACHE_IS_PRIMARY, c.Job.MEMBERS)
    return (
        _alarm(
            c.Alert.BUS_OUT_OF_MEMORY,
            f"max by ({_MEMBER}) ({of_job(c.BUS_MEMORY_ALARM, c.Job.MEMBERS)}) == 1",
            f"{_WHO} is out of memory: the bus blocks its publishers",
        ),
        _alarm(
            c.Alert.BUS_OUT_OF_DISK,
            f"max by ({_MEMBER}) ({of_job(c.BUS_DISK_ALARM, c.Job.MEMBERS)}) == 1",
            f"{_WHO} is out of disk: the bus blocks its publishers",
        ),
        _alarm(
            c.Alert.CACHE_WITHOUT_REPLICA,
            f"max by ({_MEMBER}) ({good}) == 0\nand max by ({_MEMBER}) ({leads}) == 1",
            f"{_WHO} leads a cache and no replica keeps up",
        ),
        _alarm(
            c.Alert.CACHE_WITHOUT_PRIMARY,
            f"max by ({_SERVICE}) ({leads}) == 0",
            "{{ $labels.service }} has no primary that a majority agrees on",
        ),
    )


def _alarm(alert: c.Alert, expr: str, summary: str) -> AlertRule:
    return AlertRule(
        alert,
        expr,
        c.Severity.PAGE,
        c.Tier.CAUSE,
        summary,
        for_seconds=ALARM_SECONDS,
    )
