"""
What Prometheus is told of a batch service: its queues, its workers, and whether tasks began as soon as promised.

Pure but for what it remembers: which tasks it saw begin, so that each counts once. Tasks that had begun before the first look are not counted.
"""

# ruff: noqa: INP001  an instance runs this file by itself

from __future__ import annotations

from collections import Counter
from typing import Any

_WAITING = "PENDING"
_NOT_YET = frozenset({"Dependency", "BeginTime", "JobHeldUser", "JobHeldAdmin"})
"""Reasons of waiting that are the job's own: its promise begins when they are over."""

_TROUBLE = ("DOWN", "NOT_RESPONDING", "FAIL")


class Figures:
    """
    The counters of one controller's life.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self._queues: list[str] = list(asked["queues"])
        self._promise = float(asked["start_seconds"])
        self._begun: set[tuple[int, int]] | None = None
        self._late: set[tuple[int, int]] = set()
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
        self._looked_at = now
        self._jobs = Counter()
        self._oldest = {}
        seen = {(one["job_id"], int(one.get("restart_cnt") or 0)) for one in jobs}
        first = self._begun is None
        begun = self._begun = self._begun or set()
        for one in jobs:
            self._take(one, begun, now, count=not first)
        begun &= seen
        self._late &= seen
        self._workers = Counter(_standing(node) for node in nodes)

    def _take(
        self,
        job: dict[str, Any],
        begun: set[tuple[int, int]],
        now: float,
        *,
        count: bool,
    ) -> None:
        queue = str(job.get("partition") or "")
        state = str(job.get("job_state") or "")
        mark = (job["job_id"], int(job.get("restart_cnt") or 0))
        since = max(float(job.get("eligible_time") or 0), float(job["submit_time"]))
        if state == _WAITING:
            waiting = tasks_of(job)
            self._jobs[queue, "waiting"] += waiting
            if str(job.get("state_reason")) in _NOT_YET or since > now:
                return
            self._oldest[queue] = max(self._oldest.get(queue, 0.0), now - since)
            return
        self._jobs[queue, state.lower()] += 1
        started = float(job.get("start_time") or 0)
        if mark in begun or not 0 < started <= now:
            return
        begun.add(mark)
        if count:
            kept = started - since <= self._promise
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


def tasks_of(job: dict[str, Any]) -> int:
    """
    How many tasks a record of Slurm's stands for: the waiting rest of an array is one record, told as `5-9,12%4`.
    """
    text = str(job.get("array_task_string") or "").partition("%")[0]
    if not text:
        return 1
    count = 0
    for part in text.split(","):
        first, _, last = part.partition("-")
        last, _, step = last.partition(":")
        if not (first.isdigit() and (last or first).isdigit()):
            continue
        count += (int(last or first) - int(first)) // int(step or 1) + 1
    return max(count, 1)


def _standing(node: dict[str, Any]) -> str:
    flags = {str(flag).upper() for flag in node.get("state_flags") or ()}
    state = str(node.get("state") or "unknown").upper()
    if state in _TROUBLE or flags & set(_TROUBLE):
        return "down"
    if "DRAIN" in flags:
        return "leaving"
    return "idle" if state == "IDLE" else "busy"
