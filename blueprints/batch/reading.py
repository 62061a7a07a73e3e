"""
What Slurm says of tasks and workers, read into our words. Pure.

Of an array, the rest that waits is one record; each task that has begun has its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from fournines.model.value import Value

COMMENT = "fournines:"
"""What the comment of our jobs begins with; the job's id follows."""

MANY = 100_000
"""No array is longer."""


class Stage(StrEnum):
    """
    Where a task is.
    """

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


_WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
_RUNNING = frozenset({"RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "RESIZING"})
_HELD = frozenset({"Dependency", "BeginTime", "JobHeldUser", "JobHeldAdmin"})
"""What waits for one of these cannot begin now, whatever room there is."""

_CAUSES = {
    "COMPLETED": "done",
    "TIMEOUT": "timeout",
    "DEADLINE": "timeout",
    "NODE_FAIL": "lost",
    "BOOT_FAIL": "lost",
    "CANCELLED": "cancelled",
    "OUT_OF_MEMORY": "memory",
}


class Record(Value):
    """
    A task, or the rest of an array that waits.

    Attributes:
        number: Slurm's number of it.
        job: Our job's id; empty: it is not ours.
        indexes: Which tasks of the array; (0,) where there is no array.
        cause: Why it ended, as far as Slurm knows.
        restarts: How often it was begun again.
        held: It could not begin now, whatever room there were.
        began_at: When it began, in seconds since 1970; of what waits it says nothing.
        ended_at: When it ended, of what has.
        priority: Within a queue the highest begins first, of equal ones the first submitted.
    """

    number: int
    job: str = ""
    indexes: tuple[int, ...] = (0,)
    stage: Stage
    cause: str = ""
    code: int = 0
    reason: str = ""
    queue: str = ""
    tenant: str = ""
    cpus: int = 1
    restarts: int = 0
    node: str = ""
    held: bool = False
    priority: int = 0
    began_at: float = 0.0
    ended_at: float = 0.0

    @property
    def tasks(self) -> int:
        """
        How many tasks it stands for.
        """
        return len(self.indexes)


class Node(Value):
    """
    A worker.

    Attributes:
        flags: Slurm's words for how it is, in capitals.
        idle_since: When it last had something to do, in seconds since 1970.
    """

    name: str
    flags: frozenset[str] = frozenset()
    cpus: int = 1
    cpus_at_work: int = 0
    idle_since: float = 0.0

    @property
    def gone(self) -> bool:
        """
        Slurm gets no work done there.
        """
        return not self.flags.isdisjoint({"DOWN", "FAIL", "NOT_RESPONDING", "UNKNOWN"})

    @property
    def leaving(self) -> bool:
        """
        It takes no more work.
        """
        return "DRAIN" in self.flags

    @property
    def works(self) -> bool:
        """
        Tasks run there, or are being cleared away.
        """
        return not self.flags.isdisjoint({"ALLOCATED", "MIXED", "COMPLETING"})


def record(said: Mapping[str, Any]) -> Record:
    """
    One of Slurm's job records.
    """
    state = str(said.get("job_state") or "")
    stage = (
        Stage.WAITING
        if state in _WAITING
        else Stage.RUNNING
        if state in _RUNNING
        else Stage.ENDED
    )
    comment = str(said.get("comment") or "")
    status = int(said.get("exit_code") or 0)
    reason = str(said.get("state_reason") or "")
    return Record(
        number=int(said["job_id"]),
        job=comment.removeprefix(COMMENT) if comment.startswith(COMMENT) else "",
        indexes=tuple(_indexes(said)),
        stage=stage,
        cause=_CAUSES.get(state, "failed") if stage is Stage.ENDED else "",
        code=status >> 8 or (128 + status if status else 0),
        reason="" if reason == "None" else reason,
        queue=str(said.get("partition") or ""),
        tenant=str(said.get("account") or ""),
        cpus=int(said.get("cpus") or 1),
        restarts=int(said.get("restart_cnt") or 0),
        node=str(said.get("nodes") or ""),
        held=reason in _HELD,
        priority=int(said.get("priority") or 0),
        began_at=float(said.get("start_time") or 0),
        ended_at=float(said.get("end_time") or 0),
    )


def node(said: Mapping[str, Any]) -> Node:
    """
    One of Slurm's node records.
    """
    state = said.get("state") or "unknown"
    words = state if isinstance(state, list) else [state]
    flags = {str(one).upper() for one in (*words, *(said.get("state_flags") or ()))}
    return Node(
        name=str(said["name"]),
        flags=frozenset(flags),
        cpus=int(said.get("cpus") or 1),
        cpus_at_work=int(said.get("alloc_cpus") or 0),
        idle_since=float(said.get("last_busy") or 0),
    )


def _indexes(said: Mapping[str, Any]) -> Iterator[int]:
    text = str(said.get("array_task_string") or "").partition("%")[0]
    if text:
        yield from spread(text)
    else:
        yield int(said.get("array_task_id") or 0)


def spread(text: str) -> Iterator[int]:
    """
    The numbers in `0-3,7,10-20:5`.
    """
    for part in text.split(","):
        first, _, rest = part.partition("-")
        last, _, step = rest.partition(":")
        if first.isdigit():
            end = int(last) if last.isdigit() else int(first)
            yield from range(int(first), min(end, MANY) + 1, int(step or 1))


def folded(numbers: tuple[int, ...]) -> str:
    """
    Numbers as Slurm takes them: `0-3,7`.
    """
    parts: list[str] = []
    begin = previous = None
    for number in (*sorted(numbers), None):
        if previous is not None and number == previous + 1:
            previous = number
            continue
        if begin is not None:
            parts.append(f"{begin}" if begin == previous else f"{begin}-{previous}")
        begin = previous = number
    return ",".join(parts)


def digest(data: bytes) -> str:
    """
    Eight letters that tell contents apart.
    """
    return hashlib.sha256(data).hexdigest()[:8]
