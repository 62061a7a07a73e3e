"""
Batch under fire: an array of tasks, one of its workers killed in the middle, and each task with one result.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from blueprints.batch import specification
from blueprints.source import parse
from fournines.demo.whole_report import RECOVERED, ServiceRow
from fournines.model.desired import Service
from fournines.model.inventory import Instance
from tasks.batch import desk as desks
from tasks.batch import running
from tasks.batch.progress import JobStatus
from tasks.workshop import Workshop

COUNT = 30
"""Tasks of two seconds each: half a minute on two workers."""

WORKERS = "workers"
JOB = f"""\
name: demonstration
command: sleep 2 && echo $TASK | tee $OUTPUT/number
array: {COUNT}
time_limit: 1m
"""

Tell = Callable[[str], None]
Break = Callable[[str], float]


def run(
    workshop: Workshop, service: Service, break_worker: Break, tell: Tell
) -> tuple[ServiceRow, float]:
    """
    Submit the array, kill a worker once a third has ended, and wait for the end. Also returns when the worker was killed, in epoch seconds.

    Raises:
        CloudError: Slurm or the object store says no.
    """
    desk = desks.find(workshop, service.name, service.platform)
    source = parse(JOB, "the demonstration's job")
    jobs = specification.read(source)
    (job,) = running.submit(desk, source, jobs, Path(), again=secrets.token_hex(4))
    victim, killed_at = "", 0.0
    told = -1

    def look(status: JobStatus) -> None:
        nonlocal victim, killed_at, told
        if status.ended != told:
            told = status.ended
            tell(
                f"{told:3d} of {COUNT} tasks have ended, {status.running} run, {status.again} begin again"
            )
        if not victim and status.ended >= COUNT // 3:
            victim = _worker(workshop, service).name
            tell(f"kill {victim}")
            killed_at = break_worker(victim)

    (status,) = running.follow(desk, (job,), look)
    ended_at = time.time()
    wrong = [n for n in range(COUNT) if not _is_right(desk.shelf.outputs(job, n), n)]
    well = status.causes.get("done", 0) == COUNT and not wrong
    row = ServiceRow(
        kind=service.blueprint,
        service=service.name,
        fault="kill",
        subject=victim or "nobody",
        recovered_seconds=round(ended_at - killed_at, 1) if killed_at else None,
        acknowledged=status.ended,
        lost=len(wrong),
        verdict=RECOVERED if well and victim else f"{status.state.value}: {job}",
    )
    return row, killed_at


def _worker(workshop: Workshop, service: Service) -> Instance:
    inventory = workshop.cloud.inventory(service.platform, service.name)
    return inventory.of_group(service.name, WORKERS)[0]


def _is_right(outputs: dict[str, bytes], number: int) -> bool:
    return outputs == {"number": f"{number}\n".encode()}
