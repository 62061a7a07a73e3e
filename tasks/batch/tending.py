"""
The regular look after a batch service: as many workers as its queue needs, and no job that Slurm has forgotten.

What is decided is pure (blueprints/batch/scaling.py); the way there is the one every scale takes, with plan, brakes and leases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from blueprints.batch.reading import Node, Record, Stage
from blueprints.batch.scaling import Load, Size, Worker, wanted
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model.value import Value
from fournines.store.protocol import LeaseHeld
from tasks import deployment
from tasks.audience import NOBODY, Audience
from tasks.batch import progress, sharing, submission
from tasks.batch.desk import BLUEPRINT, Desk, at
from tasks.operators.slurm_interface import WORKERS
from tasks.workshop import Workshop

TEND_SECONDS = 10.0
"""From look to look, where one process does nothing else."""

_log = log.get("batch")

Yields = Callable[[Desk], str]
"""Names the online service that batch must yield to now; empty: none."""


class Tended(Value):
    """
    What one look did.
    """

    platform: str
    service: str
    workers: int
    wanted: int
    why: str
    resubmitted: int = 0
    said: str = ""

    def sentence(self) -> str:
        """
        For people.
        """
        change = (
            f"{self.workers} workers"
            if self.workers == self.wanted
            else f"{self.workers} -> {self.wanted} workers"
        )
        more = f"; {self.resubmitted} tasks submitted anew" if self.resubmitted else ""
        problem = f"; {self.said}" if self.said else ""
        return f"{self.platform}/{self.service}: {change} ({self.why}){more}{problem}"


def nobody(_desk: Desk) -> str:
    """
    No online service needs the room.
    """
    return ""


def tend_all(
    workshop: Workshop, *, yields: Yields = nobody, audience: Audience = NOBODY
) -> tuple[Tended, ...]:
    """
    Look after every batch service; one that is not to be had is named and keeps none of the others waiting.
    """
    found: list[Tended] = []
    for platform in workshop.store.registry.platforms():
        for service in platform.services:
            if service.blueprint != BLUEPRINT:
                continue
            try:
                desk = at(workshop, service)
                found.append(tend(desk, yields=yields, audience=audience))
            except (CloudError, LeaseHeld) as error:
                count = service.group(WORKERS).count
                found.append(
                    Tended(
                        platform=platform.name,
                        service=service.name,
                        workers=count,
                        wanted=count,
                        why="it was not looked after",
                        said=str(error),
                    )
                )
    return tuple(found)


def tend(desk: Desk, *, yields: Yields = nobody, audience: Audience = NOBODY) -> Tended:
    """
    Look after one.

    Raises:
        LeaseHeld: Somebody else changes the service.
        CloudError: Slurm, the cloud or the object store does not answer.
    """
    again = resubmit(desk)
    sharing.share(desk, desk.engine.tasks())
    service = desk.service
    now = service.group(WORKERS).count
    size = decide(desk, now, yields(desk))
    said = ""
    if size.count != now:
        _log.info(
            "batch_scaled", service=service.name, now=now, to=size.count, why=size.why
        )
        result = deployment.scale(
            desk.workshop,
            service.name,
            size.count,
            platform=service.platform,
            group=WORKERS,
            audience=audience,
        )
        said = "" if result.ok else result.sentence()
    return Tended(
        platform=service.platform,
        service=service.name,
        workers=now,
        wanted=size.count,
        why=size.why,
        resubmitted=again,
        said=said,
    )


def decide(desk: Desk, now: int, yielding_to: str) -> Size:
    """
    The size from what Slurm says now.
    """
    nodes, records = desk.engine.nodes(), desk.engine.tasks()
    at_seconds = desk.workshop.clock.now().timestamp()
    return wanted(
        now,
        load(records),
        tuple(workers(nodes, at_seconds)),
        desk.bounds,
        yielding_to=yielding_to,
    )


def load(records: Iterable[Record]) -> Load:
    """
    The CPUs that are waited for and those at work.
    """
    found = {Stage.WAITING: 0, Stage.RUNNING: 0, Stage.ENDED: 0}
    for one in records:
        if not one.held:
            found[one.stage] += one.cpus * one.tasks
    return Load(waiting=found[Stage.WAITING], running=found[Stage.RUNNING])


def workers(nodes: Iterable[Node], at_seconds: float) -> Iterable[Worker]:
    """
    The workers by the number of their slot.
    """
    for node in nodes:
        number = node.name.rpartition("-")[2]
        if number.isdigit():
            idle = None if node.works else max(at_seconds - node.idle_since, 0.0)
            yield Worker(number=int(number), idle_seconds=idle)


def resubmit(desk: Desk) -> int:
    """
    Submit again what Slurm does not know and what has not ended; how many tasks those were.
    """
    open_ids, _ = desk.shelf.ids()
    if not open_ids:
        return 0
    records = desk.engine.tasks()
    count = 0
    for job_id in open_ids:
        kept = desk.shelf.job(job_id)
        if kept is None:
            continue
        found = progress.status(desk, kept, records)
        outcomes = desk.shelf.outcomes(job_id)
        if not found.is_over and submission.missing(kept, outcomes, records):
            count += submission.ensure(desk, kept)
    return count
