"""
What is recorded per member every second: its names, weight, whether it serves, and how it does at the load balancer's edge.

Octavia's series name members by id only. The healer exports which member is which; joined here once, everything else (alerts, evidence,
dashboards) speaks of platform, service, group, slot and instance_name.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by, of_job, of_member
from alerts.generation.rule import Record

WEIGHT_MEMORY_SECONDS = 5
"""A missed scrape must not make a drained member look like one in service."""

SESSIONS_WINDOW_SECONDS = 2
"""Two samples at one a second: single ones of 300 ms pauses rang falsely nine times."""

_MEMBER = by(c.MEMBER_LABELS)


def records() -> tuple[Record, ...]:
    """
    In the order they build on each other.
    """
    return (
        Record(
            c.REC_MEMBER_INFO,
            f"max by ({by((*c.MEMBER_LABELS, c.MEMBER_ID))}) ({c.MEMBER_INFO})",
        ),
        Record(
            c.REC_MEMBER_WEIGHT,
            of_member(
                f"last_over_time({c.MEMBER_WEIGHT}[{WEIGHT_MEMORY_SECONDS}s])",
                how="max",
            ),
        ),
        Record(c.REC_MEMBER_SERVED, _served()),
        Record(
            c.REC_MEMBER_IN_SERVICE,
            f"{c.REC_MEMBER_WEIGHT} > 0\nand on ({_MEMBER}) {c.REC_MEMBER_SERVED}",
        ),
        Record(c.REC_MEMBER_TOTAL, of_member(f"rate({c.MEMBER_RESPONSES}[10s])")),
        Record(
            c.REC_MEMBER_ERRORS,
            of_member(f'rate({c.MEMBER_RESPONSES}{{{c.CODE}="5xx"}}[10s])'),
        ),
        Record(
            c.REC_MEMBER_SESSIONS,
            of_member(
                f"min_over_time({c.MEMBER_SESSIONS}[{SESSIONS_WINDOW_SECONDS}s])"
            ),
        ),
        Record(c.REC_MEMBER_EDGE_TIME, of_member(c.MEMBER_RESPONSE_TIME, how="max")),
        Record(c.REC_MEMBER_OWN_TIME, _own_time()),
        Record(c.REC_MEMBER_PROBE_TIME, _probe_time()),
    )


def _served() -> str:
    """
    It has answered at least once while in its pool: what has not is booting, which is the deploy's business.
    """
    return (
        f"max by ({_MEMBER}) (\n"
        f"  {of_job(c.PROBE_SUCCESS, c.Job.PROBES)} == 1"
        f" or {of_job(c.UP, c.Job.MEMBERS)} == 1\n)\n"
        f"or ({c.REC_MEMBER_SERVED} and on ({_MEMBER})"
        f" ({c.REC_MEMBER_WEIGHT} or on ({_MEMBER}) {c.REC_MEMBER_INFO}))"
    )


def _own_time() -> str:
    """
    The mean of the last ten seconds by the member's own clock; of at least five requests.
    """
    return (
        f"sum by ({_MEMBER}) (rate({of_job(c.APP_SUM, c.Job.MEMBERS)}[10s]))\n"
        f"/ (sum by ({_MEMBER}) (rate({of_job(c.APP_COUNT, c.Job.MEMBERS)}[10s]))"
        " > 0.5)"
    )


def _probe_time() -> str:
    """
    The quicker of two probes in a row: one slow probe is a pause.
    """
    probes = f"{of_job(c.PROBE_DURATION, c.Job.PROBES)}[2s]"
    return (
        f"max by ({_MEMBER}) (\n"
        f"  min_over_time({probes}) and count_over_time({probes}) >= 2\n)"
    )
