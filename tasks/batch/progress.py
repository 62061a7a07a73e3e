"""
How a job is: from its results on the shelf and from what Slurm knows, and its end, which is written down once.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from blueprints.batch.reading import Record, Stage
from fournines.model.value import Value
from tasks.batch.desk import Desk
from tasks.batch.shelf import Ended, Kept, Outcomes


class State(StrEnum):
    """
    How a job is as a whole.
    """

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobStatus(Value):
    """
    A job now.

    Attributes:
        causes: How many tasks ended by which cause.
        bad: Cause and code of the tasks that did not end well, the first of them.
        again: Attempts that were followed by another because the task failed, and begins again because a worker died.
        waits_for: What Slurm says it waits for.
    """

    id: str
    queue: str
    count: int
    state: State
    waiting: int = 0
    running: int = 0
    causes: dict[str, int] = Field(default_factory=dict)
    bad: dict[int, tuple[str, int]] = Field(default_factory=dict)
    again: int = 0
    waits_for: str = ""
    submitted_at: datetime | None = None

    @property
    def ended(self) -> int:
        """
        Tasks that have.
        """
        return sum(self.causes.values())

    @property
    def is_over(self) -> bool:
        """
        Nothing more will happen.
        """
        return self.state not in {State.WAITING, State.RUNNING}


BAD_MAX = 20
"""So many of the tasks that did not end well are told one by one."""


def status(desk: Desk, kept: Kept, records: tuple[Record, ...]) -> JobStatus:
    """
    How a job is; its end is written down when it has come to one.
    """
    mine = tuple(one for one in records if one.job == kept.id)
    outcomes = desk.shelf.outcomes(kept.id)
    if _settle(desk, kept, mine, outcomes):
        outcomes = desk.shelf.outcomes(kept.id)
    found = _status(desk, kept, mine, outcomes)
    if found.is_over and desk.shelf.ended(kept.id) is None:
        desk.shelf.close(
            Ended(
                id=kept.id,
                at=desk.workshop.clock.now(),
                count=kept.job.count,
                causes=found.causes,
            )
        )
    return found


def _settle(
    desk: Desk, kept: Kept, mine: tuple[Record, ...], outcomes: Outcomes
) -> bool:
    """
    Write down the end of tasks whose worker could not: killed with everything around them, or cancelled.
    """
    lacking = {
        index: one
        for one in mine
        if one.stage is Stage.ENDED
        for index in one.indexes
        if index not in outcomes.ended
    }
    for index, one in lacking.items():
        # Slurm calls it done, and its worker keeps the result before it ends: then it was a task of another kind.
        cause = "failed" if one.cause == "done" else one.cause
        desk.shelf.note_result(kept.id, index, cause, one.code)
    if not outcomes.cancelled:
        return bool(lacking)
    there = {i for one in mine if one.stage is not Stage.ENDED for i in one.indexes}
    never = set(range(kept.job.count)) - there - outcomes.ended - set(lacking)
    for index in never:
        desk.shelf.note_result(kept.id, index, "cancelled", 0)
    return bool(lacking or never)


def _status(
    desk: Desk, kept: Kept, mine: tuple[Record, ...], outcomes: Outcomes
) -> JobStatus:
    open_tasks = {
        index: one
        for one in mine
        if one.stage is not Stage.ENDED
        for index in one.indexes
        if index not in outcomes.ended
    }
    stages = Counter(one.stage for one in open_tasks.values())
    reasons = Counter(
        one.reason for one in open_tasks.values() if one.stage is Stage.WAITING
    )
    causes = outcomes.causes
    lost = sum(one.restarts for one in mine)
    return JobStatus(
        id=kept.id,
        queue=kept.job.queue or desk.limits.first_queue,
        count=kept.job.count,
        state=_state(kept, outcomes, causes, stages),
        waiting=kept.job.count - sum(causes.values()) - stages[Stage.RUNNING],
        running=stages[Stage.RUNNING],
        causes=causes,
        bad=dict(sorted(outcomes.bad.items())[:BAD_MAX]),
        again=max(outcomes.again, lost),
        waits_for=reasons.most_common(1)[0][0] if reasons else "",
        submitted_at=kept.submitted_at,
    )


def _state(
    kept: Kept,
    outcomes: Outcomes,
    causes: dict[str, int],
    stages: Counter[Stage],
) -> State:
    if len(outcomes.ended) >= kept.job.count:
        if causes.get("done", 0) == kept.job.count:
            return State.DONE
        return State.CANCELLED if outcomes.cancelled else State.FAILED
    return State.RUNNING if stages[Stage.RUNNING] or outcomes.ended else State.WAITING


def of(desk: Desk, job_id: str) -> JobStatus | None:
    """
    How one job is; None: there is no such job.
    """
    kept = desk.shelf.job(job_id)
    if kept is None:
        return None
    ended = desk.shelf.ended(job_id)
    records = () if ended else desk.engine.tasks()
    return status(desk, kept, records)


def every(desk: Desk, *, ended_max: int) -> tuple[JobStatus, ...]:
    """
    All open jobs, and of those that ended the newest.
    """
    open_ids, ended_ids = desk.shelf.ids()
    records = desk.engine.tasks() if open_ids else ()
    kept = [one for i in open_ids if (one := desk.shelf.job(i)) is not None]
    over = [one for i in ended_ids if (one := desk.shelf.job(i)) is not None]
    over.sort(key=lambda one: one.submitted_at)
    newest = over[-ended_max:] if ended_max else []
    return tuple(status(desk, one, records) for one in (*newest, *kept))
