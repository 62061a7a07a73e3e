"""
What is recorded per member every second: its names, weight, whether it serves, and how it does at the load balancer's edge.

Octavia's series name members by id only. The healer exports which member is which; joined here once, everything else (alerts, evidence,
dashboards) speaks of platform, service, group, slot and instance_name.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.cadence import Cadence
from alerts.generation.promql import by, of_job, of_member
from alerts.generation.rule import Record

WEIGHT_MEMORY_SECONDS = 5
"""A missed scrape must not make a drained member look like one in service."""

SCRAPE_MS = 100
"""What a load balancer's metrics take: a sample counts from the scrape's begin, and is seen at its end."""

NOISE_OF = {
    c.REC_MEMBER_EDGE_TIME: c.REC_GROUP_EDGE_NOISE,
    c.REC_MEMBER_OWN_TIME: c.REC_GROUP_OWN_NOISE,
    c.REC_MEMBER_PROBE_TIME: c.REC_GROUP_PROBE_NOISE,
}

_MEMBER = by(c.MEMBER_LABELS)


def records(cadence: Cadence) -> tuple[Record, ...]:
    """
    In the order they build on each other.

    Sessions and probe times are the least of two samples in a row: single ones of 300 ms pauses rang falsely nine times.
    """
    sessions = f"{c.MEMBER_SESSIONS}{_two_samples(cadence.fast_seconds, SCRAPE_MS)}"
    probes = of_job(c.PROBE_DURATION, c.Job.PROBES) + _two_samples(
        cadence.probe_seconds, cadence.probe_timeout_ms
    )
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
                f"(min_over_time({sessions}) and count_over_time({sessions}) >= 2)"
            ),
        ),
        Record(c.REC_MEMBER_EDGE_TIME, of_member(c.MEMBER_RESPONSE_TIME, how="max")),
        Record(c.REC_MEMBER_OWN_TIME, _own_time()),
        Record(
            c.REC_MEMBER_PROBE_TIME,
            f"max by ({_MEMBER}) (\n"
            f"  min_over_time({probes}) and count_over_time({probes}) >= 2\n)",
        ),
    )


def noises() -> tuple[Record, ...]:
    """
    How slow a group's quieter members were at their slowest moment of the last minute, by each of the three clocks.

    On a host that others keep busy members take turns at being slow: one that is no slower than its neighbours just were is not sick.
    """
    return tuple(Record(noise, _noise(of)) for of, noise in NOISE_OF.items())


def _noise(of: str) -> str:
    group = by((*c.SERVICE_LABELS, c.GROUP))
    return f"quantile by ({group}) (0.25, max_over_time({of}[1m]))"


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
    The mean of the last five seconds by the member's own clock; of at least five requests.
    """
    return (
        f"sum by ({_MEMBER}) (rate({of_job(c.APP_SUM, c.Job.MEMBERS)}[5s]))\n"
        f"/ (sum by ({_MEMBER}) (rate({of_job(c.APP_COUNT, c.Job.MEMBERS)}[5s]))"
        " >= 1)"
    )


def _two_samples(every_seconds: int, takes_ms: int) -> str:
    """
    A range that holds two samples even while the next one is under way, and seldom three.
    """
    return f"[{every_seconds * 2_000 + takes_ms}ms]"
