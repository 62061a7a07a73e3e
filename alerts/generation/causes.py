"""
Alerts on causes: one member, one second. They wake the healer, which looks for itself.

All are limited to members in service, so that a booting or drained member rings nothing, and none waits (`for: 0s`): the rules that need two
samples ask for two samples.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.cadence import Cadence
from alerts.generation.members import NOISE_OF
from alerts.generation.promql import against_pool, by, in_service, of_job, of_member
from alerts.generation.rule import AlertRule
from fournines.model.case import Diagnosis

ERROR_RATIO_MIN = 0.2
ERRORS_MIN = 5
SLOW_SECONDS_MIN = 0.25
"""Below this nobody calls an answer slow, whatever the peers do: on a busy host a tenth of a second is three times another's time all day long."""

SLOW_FACTOR = 3
"""Times the lower quartile of the pool; the diagnosis asks the same of the peers (healing/diagnosis/grey_slow.py)."""

NOISE_FACTOR = 1.5
"""Slower than the others' worst moment of the last minute, and not by chance."""

STALLED_SESSIONS_MIN = 10
STALLED_FACTOR = 4
REQUESTS_PER_SECOND_MIN = 0.5

_MEMBER = by(c.MEMBER_LABELS)
_WHO = "{{ $labels.instance_name }}"


def alerts(cadence: Cadence) -> tuple[AlertRule, ...]:
    """
    One per cause.
    """
    return (
        _cause(
            c.Alert.PROBE_FAIL,
            f"max by ({_MEMBER}) ({of_job(c.PROBE_SUCCESS, c.Job.PROBES)} == 0)",
            Diagnosis.UNKNOWN,
            f"{_WHO} does not answer the page its users use",
        ),
        _cause(
            c.Alert.APP_SCRAPE_DOWN,
            _scrape_down(cadence),
            Diagnosis.GONE,
            f"{_WHO} has not given its metrics twice in a row",
        ),
        _cause(
            c.Alert.LB_MEMBER_DOWN,
            of_member(f'{c.MEMBER_STATUS}{{state="DOWN"}}', how="max")
            + f" == 1\nunless on ({_MEMBER}) last_over_time({c.MEMBER_BY_ROLE}[1m])",
            Diagnosis.FAILING,
            f"{_WHO} fails the load balancer's health check",
        ),
        _cause(
            c.Alert.MEMBER_ERRORS,
            f"{c.REC_MEMBER_ERRORS} > {ERROR_RATIO_MIN} * {c.REC_MEMBER_TOTAL}\n"
            f"and {c.REC_MEMBER_ERRORS} * 10 > {ERRORS_MIN}",
            Diagnosis.GREY_ERRORS,
            f"{_WHO} answers with errors",
        ),
        _cause(
            c.Alert.MEMBER_SLOW,
            _slow(),
            Diagnosis.GREY_SLOW,
            f"{_WHO} is {SLOW_FACTOR} times slower than its pool",
        ),
        _cause(
            c.Alert.MEMBER_STALLED,
            f"{c.REC_MEMBER_SESSIONS} > {STALLED_SESSIONS_MIN}\n"
            f"and\n{against_pool(c.REC_MEMBER_SESSIONS, factor=STALLED_FACTOR)}",
            Diagnosis.HUNG,
            f"{_WHO} piles up sessions",
        ),
    )


def _cause(alert: c.Alert, expr: str, diagnosis: Diagnosis, summary: str) -> AlertRule:
    return AlertRule(
        alert,
        in_service(f"(\n{expr}\n)"),
        c.Severity.HEAL,
        c.Tier.CAUSE,
        summary,
        diagnosis=diagnosis,
    )


def _scrape_down(cadence: Cadence) -> str:
    """
    Two misses: the window holds two samples, never three.
    """
    up = f"{of_job(c.UP, c.Job.MEMBERS)}[{cadence.member_seconds * 2_000 - 100}ms]"
    return (
        f"max by ({_MEMBER}) (max_over_time({up})) == 0\n"
        f"and max by ({_MEMBER}) (count_over_time({up})) >= 2"
    )


def _slow() -> str:
    """
    Any of three clocks: the edge's average of the last 1,024 requests (while it does not fall: it remembers long), the member's own of the
    last five seconds, and two probes in a row.
    """
    edge = c.REC_MEMBER_EDGE_TIME
    at_the_edge = (
        f"({_slower(edge)}\n"
        f"and {c.REC_MEMBER_TOTAL} > {REQUESTS_PER_SECOND_MIN}\n"
        f"and delta({edge}[5s]) >= 0)"
    )
    return f"{at_the_edge}\nor ({_slower(c.REC_MEMBER_OWN_TIME)})\nor ({_slower(c.REC_MEMBER_PROBE_TIME)})"


def _slower(value: str) -> str:
    """
    Beyond its pool's time now, and beyond what the pool's other members were a moment ago; where that is not known yet, the first suffices.
    """
    group = by((*c.SERVICE_LABELS, c.GROUP))
    return (
        f"({value} > {SLOW_SECONDS_MIN}\nand\n"
        f"{against_pool(value, factor=SLOW_FACTOR)}\n"
        f"unless on ({_MEMBER})\n"
        f"{value} <= on ({group}) group_left ()"
        f" {NOISE_FACTOR:g} * {NOISE_OF[value]})"
    )
