"""
What Prometheus is told of a batch service: its queues, its workers, and whether tasks began as soon as promised.

A task counts once for each time it is to begin: in time when it begins so, late as soon as its promise is over, even if it never begins. Its promise
runs only while it may begin: not while it waits for another job, for its turn in its own array or for its user, nor while as many workers as their
owner allows are at work. Pure but for what it remembers; tasks that had begun, or were late, before the first look are not counted.
"""

# ruff: noqa: INP001  an instance runs this file by itself

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

_WAITING = "PENDING"
_OWN = frozenset(
    {
        "Dependency",
        "DependencyNeverSatisfied",
        "BeginTime",
        "JobArrayTaskLimit",
        "JobHeldUser",
        "JobHeldAdmin",
    }
)
"""Reasons of waiting that are the job's own: its promise begins when they are over."""

_TROUBLE = ("DOWN", "NOT_RESPONDING", "FAIL")

Start = tuple[int, int, int]
"""A task that is to begin: Slurm's number of its job, its number in the array, and how often it was begun before."""


class Figures:
    """
    The counters of one controller's life.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self._queues: list[str] = list(asked["queues"])
        self._promise = float(asked["start_seconds"])
        self._workers_max = int(asked["workers_max"])
        self._counted: set[Start] = set()
        self._freed_at: dict[Start, float] = {}
        self._full_at = 0.0
        self._began: Counter[tuple[str, str]] = Counter()
        self._jobs: Counter[tuple[str, str]] = Counter()
        self._workers: Counter[str] = Counter()
        self._oldest: dict[str, float] = {}
        self._looked_at = 0.0

    def look(
        self, jobs: list[dict[str, Any]], nodes: list[dict[str, Any]], now: float
    ) -> None:
        """
        Take in what Slurm says now.
        """
        first = not self._looked_at
        self._looked_at = now
        self._jobs = Counter()
        self._oldest = {}
        self._workers = Counter(_standing(node) for node in nodes)
        if self._workers["busy"] >= self._workers_max:
            self._full_at = now
        seen: set[Start] = set()
        for one in jobs:
            state = str(one.get("job_state") or "")
            told = "waiting" if state == _WAITING else state.lower()
            starts = tuple(_starts(one))
            self._jobs[_queue(one), told] += len(starts)
            seen.update(starts)
            for start in starts:
                self._take(one, start, now, count=not first)
        self._counted &= seen
        self._freed_at = {k: v for k, v in self._freed_at.items() if k in seen}

    def _take(
        self, job: dict[str, Any], start: Start, now: float, *, count: bool
    ) -> None:
        queue = _queue(job)
        waits = job.get("job_state") == _WAITING
        if waits and str(job.get("state_reason")) in _OWN:
            self._freed_at[start] = now
            return
        since = max(
            float(job.get("eligible_time") or 0),
            float(job.get("submit_time") or 0),
            self._freed_at.get(start, 0.0),
        )
        began = now if waits else float(job.get("start_time") or 0)
        if waits and since < now:
            self._oldest[queue] = max(self._oldest.get(queue, 0.0), now - since)
        if start in self._counted or not 0 < began <= now:
            return
        # The time when nobody could have begun is not the service's.
        waited = began - max(since, min(self._full_at, began))
        if waits and waited <= self._promise:
            return
        self._counted.add(start)
        if count:
            kept = waited <= self._promise
            self._began[queue, "in_time" if kept else "late"] += 1

    def text(self, now: float) -> str:
        """
        In the text format.
        """
        lines = ["# TYPE batch_tasks gauge"]
        for (queue, state), count in sorted(self._jobs.items()):
            lines.append(f'batch_tasks{{queue="{queue}",state="{state}"}} {count}')
        lines.append("# TYPE batch_started_total counter")
        for queue in self._queues:
            for kept in ("in_time", "late"):
                count = self._began[queue, kept]
                lines.append(
                    f'batch_started_total{{queue="{queue}",promise="{kept}"}} {count}'
                )
        lines.append("# TYPE batch_waiting_seconds gauge")
        lines += (
            f'batch_waiting_seconds{{queue="{queue}"}} '
            f"{self._oldest.get(queue, 0.0):.1f}"
            for queue in self._queues
        )
        lines.append("# TYPE batch_start_promise_seconds gauge")
        lines.append(f"batch_start_promise_seconds {self._promise:g}")
        lines.append("# TYPE batch_workers gauge")
        for state, count in sorted(self._workers.items()):
            lines.append(f'batch_workers{{state="{state}"}} {count}')
        lines.append("# TYPE batch_silent_seconds gauge")
        lines.append(f"batch_silent_seconds {now - self._looked_at:.1f}")
        return "\n".join(lines) + "\n"


def _queue(job: dict[str, Any]) -> str:
    return str(job.get("partition") or "")


def _starts(job: dict[str, Any]) -> Iterator[Start]:
    """
    The tasks that a record of Slurm's stands for: the waiting rest of an array is one record, told as `5-9,12%4`.
    """
    number = int(job.get("array_job_id") or job["job_id"])
    again = int(job.get("restart_cnt") or 0)
    text = str(job.get("array_task_string") or "").partition("%")[0]
    if not text:
        yield number, int(job.get("array_task_id") or 0), again
    for part in text.split(",") if text else ():
        first, _, rest = part.partition("-")
        last, _, step = rest.partition(":")
        if first.isdigit() and (last or first).isdigit():
            for index in range(int(first), int(last or first) + 1, int(step or 1)):
                yield number, index, again


def _standing(node: dict[str, Any]) -> str:
    flags = {str(flag).upper() for flag in node.get("state_flags") or ()}
    state = str(node.get("state") or "unknown").upper()
    if state in _TROUBLE or flags & set(_TROUBLE):
        return "down"
    if "DRAIN" in flags:
        return "leaving"
    return "idle" if state == "IDLE" else "busy"
