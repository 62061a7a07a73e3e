"""
Alerts on what a platform service says of itself and no user's request shows yet.

A message bus that blocks its publishers, a cache that refuses writes: a person is called, the cure is consumers, memory or disk, which nobody but the
service's owner can give. A cluster without votes or leader, a member that is none: the healer looks.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by, in_service, of_job
from alerts.generation.rule import AlertRule

ALARM_SECONDS = 10
"""RabbitMQ's alarms come and go with a burst; one that lasts is no burst."""

CHOICE_SECONDS = 20
"""A cluster chooses a leader within seconds (docs/postgres.md): what takes longer does not end by itself."""

UNSETTLED_SECONDS = 60
"""Rewinding, copying and joining take their time; a member that comes nearer is left to its service however long it takes."""

_MEMBER = by(c.MEMBER_LABELS)
_SERVICE = by(c.SERVICE_LABELS)
_GROUP = by((*c.SERVICE_LABELS, c.GROUP))
_SLOT = by((*c.SERVICE_LABELS, c.GROUP, c.SLOT))
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
        *_clusters(),
    )


def _clusters() -> tuple[AlertRule, ...]:
    """
    As the healer reads them from the services themselves.
    """
    votes = f"max by ({_GROUP}) ({c.CLUSTER_VOTES})"
    quorum = f"max by ({_GROUP}) ({c.CLUSTER_QUORUM})"
    catches_up = f"delta({c.CLUSTER_LAG}[30s]) < 0"
    return (
        _for_the_healer(
            c.Alert.CLUSTER_WITHOUT_QUORUM,
            f"{votes} < {quorum}",
            "{{ $labels.service }} can decide nothing: too few of its members vote",
            ALARM_SECONDS,
        ),
        _for_the_healer(
            c.Alert.CLUSTER_WITHOUT_LEADER,
            f"max by ({_GROUP}) ({c.CLUSTER_LEADER}) == 0",
            "nobody leads {{ $labels.service }}",
            CHOICE_SECONDS,
        ),
        _for_the_healer(
            c.Alert.MEMBER_UNSETTLED,
            in_service(
                f"max by ({_MEMBER}) ({c.CLUSTER_SETTLED}) == 0\n"
                f"unless on ({_SLOT}) {catches_up}"
            ),
            f"{_WHO} answers, and is no full member of its cluster",
            UNSETTLED_SECONDS,
        ),
    )


def _for_the_healer(alert: c.Alert, expr: str, summary: str, seconds: int) -> AlertRule:
    return AlertRule(
        alert, expr, c.Severity.HEAL, c.Tier.CAUSE, summary, for_seconds=seconds
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
