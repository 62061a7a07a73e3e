"""
Submitting a job so that it is there once, whoever crashes and however often it is said.

What is asked for is kept first. Then Slurm is asked which tasks it knows, by the id in their comment; what has neither a result on the shelf nor a
task in Slurm is submitted. The same is done again for jobs that Slurm forgot (a controller that died before it wrote them down).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic import JsonValue

from blueprints.batch import reading
from blueprints.batch.reading import Record, Stage
from blueprints.batch.specification import Job
from fournines import log
from tasks import leasing
from tasks.batch import sharing
from tasks.batch.desk import Desk
from tasks.batch.shelf import Kept, Outcomes
from tasks.operators import ClusterRefused

TASK = '#!/bin/bash\nexec /usr/local/lib/batch/task "$0"\n'
"""What stands before everybody's script (blueprints/batch/guest/task.sh)."""

BACKSTOP_MINUTES = 2
"""The task's own watch ends it; Slurm does when that fails."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_log = log.get("batch")


class JobRefused(ClusterRefused):
    """
    The job cannot be taken as it is; the message says why.
    """


def id_of(job: Job, artefact: bytes, again: str = "") -> str:
    """
    The same job has the same id, so that submitting it twice is submitting it once; `again` tells runs apart.
    """
    told = f"{job.content_digest()} {len(artefact)} {again}"
    digest = reading.digest(told.encode() + artefact)
    return f"{job.name}-{digest}"


def submit(desk: Desk, job: Job, job_id: str, artefact: bytes = b"") -> Kept:
    """
    See to it that the job is there. Nothing is done for one that has ended.

    Raises:
        JobRefused: It comes after a job that is unknown or did not end well.
        ClusterRefused: Slurm said no.
        CloudError: Slurm, the cloud or the object store does not answer.
        LeaseHeld: Somebody else is submitting the same job.
    """
    shelf, clock = desk.shelf, desk.workshop.clock
    shelf.open()
    ended = shelf.ended(job_id)
    if ended is not None:
        kept = shelf.job(job_id)
        assert kept is not None
        return kept
    _check_predecessors(desk, job)
    key = shelf.keep_artefact(artefact) if artefact else ""
    asked = Kept(id=job_id, job=job, artefact=key, submitted_at=clock.now())
    kept = shelf.keep(asked)
    ensure(desk, kept)
    return kept


def ensure(desk: Desk, kept: Kept) -> int:
    """
    Submit those of a job's tasks that are neither done nor known to Slurm; how many those were. Raises as `submit`.
    """
    service = desk.service
    name = f"batch/{service.platform}/{service.name}/{kept.id}"
    with leasing.holding(desk.workshop, [name], purpose=f"submitting {kept.id}"):
        outcomes = desk.shelf.outcomes(kept.id)
        if outcomes.cancelled:
            return 0
        lacking = missing(kept, outcomes, desk.engine.tasks())
        if not lacking:
            return 0
        script = TASK + kept.job.text
        number = desk.engine.submit(script, _order(desk, kept, lacking))
        desk.shelf.note_number(kept.id, number)
        sharing.begin(desk, number, kept.job.tenant or "")
    _log.info("job_submitted", job=kept.id, number=number, tasks=len(lacking))
    return len(lacking)


def missing(
    kept: Kept, outcomes: Outcomes, records: Iterable[Record]
) -> tuple[int, ...]:
    """
    The tasks that are neither done nor in Slurm's hands.
    """
    known = {i for one in records if one.job == kept.id for i in one.indexes}
    every = range(kept.job.count)
    return tuple(i for i in every if i not in known and i not in outcomes.ended)


def _order(desk: Desk, kept: Kept, tasks: tuple[int, ...]) -> dict[str, JsonValue]:
    job, limits = kept.job, desk.limits
    queue = job.queue or limits.first_queue
    seconds = job.seconds or limits.queues[queue].time_limit_minutes * 60
    cpus = job.resources.cpus
    memory = job.resources.memory_mb or limits.memory_mb * cpus // limits.cpus
    retries = ",".join(f"{k}:{v}" for k, v in job.retries.model_dump().items())
    order: dict[str, JsonValue] = {
        "name": kept.id,
        "comment": f"{reading.COMMENT}{kept.id}",
        "partition": queue,
        "current_working_directory": "/",
        "standard_output": "/dev/null",
        "standard_error": "/dev/null",
        "tasks": 1,
        "cpus_per_task": cpus,
        "memory_per_node": memory,
        "time_limit": math.ceil(seconds / 60) + BACKSTOP_MINUTES,
        "requeue": True,
        "environment": {
            "PATH": _PATH,
            **job.environment,
            "FOURNINES_JOB": kept.id,
            "FOURNINES_RETRIES": retries,
            "FOURNINES_SECONDS": str(seconds),
            "FOURNINES_ARTEFACT": kept.artefact,
        },
    }
    if job.tenant:
        order["account"] = job.tenant
    if job.array is not None:
        at_once = f"%{job.array.at_once}" if job.array.at_once else ""
        order["array"] = reading.folded(tasks) + at_once
    before = _predecessors(desk, job)
    if before:
        order["dependency"] = "afterok:" + ":".join(map(str, before))
    return order


def _check_predecessors(desk: Desk, job: Job) -> None:
    for name in job.after:
        why = why_not_after(desk, name)
        if why:
            raise JobRefused(f"submitting {job.name}", f"it comes after {name}: {why}")


def why_not_after(desk: Desk, job_id: str) -> str:
    """
    Why nothing can come after a job; empty: it can.
    """
    ended = desk.shelf.ended(job_id)
    if ended is not None:
        if ended.well:
            return ""
        return "that did not end well; submit that one again first"
    if desk.shelf.job(job_id) is None:
        return "there is no such job; `fournines batch list` shows them"
    return ""


def _predecessors(desk: Desk, job: Job) -> tuple[int, ...]:
    """
    Slurm's numbers of what must end first.
    """
    waiting = [name for name in job.after if desk.shelf.ended(name) is None]
    numbers = [desk.shelf.outcomes(name).numbers for name in waiting]
    return tuple(number for some in numbers for number in some)


def cancel(desk: Desk, job_id: str) -> bool:
    """
    End a job; False: it had ended. Its logs stay.

    Raises:
        JobRefused: There is no such job.
        CloudError: Slurm or the object store does not answer.
    """
    if desk.shelf.job(job_id) is None:
        raise JobRefused(
            f"cancelling {job_id}",
            "there is no such job; `fournines batch list` shows them",
        )
    if desk.shelf.ended(job_id) is not None:
        return False
    # Noted first: whoever comes after a crash must not submit it again.
    desk.shelf.note_cancelled(job_id)
    for record in desk.engine.tasks():
        if record.job == job_id and record.stage is not Stage.ENDED:
            desk.engine.cancel(record.number)
    return True
