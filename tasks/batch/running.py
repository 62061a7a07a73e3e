"""
From a file of jobs to their end: read, checked, submitted in order, followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from blueprints.batch import specification
from blueprints.batch.specification import Job, JobsInvalid
from blueprints.problem import Problem
from blueprints.source import Source, parse, read_text
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.store.protocol import LeaseHeld
from tasks import request
from tasks.audience import NOBODY, Audience
from tasks.batch import progress, submission, tending
from tasks.batch.desk import Desk, find
from tasks.batch.progress import JobStatus
from tasks.batch.tending import Yields, nobody

LOOK_SECONDS = 2.0
"""From look to look at jobs that are followed."""

TEND_EVERY = 5
"""Looks from one look at the workers to the next."""

_log = log.get("batch")

Tell = Callable[[JobStatus], None]


def read(path: Path) -> tuple[Source, dict[str, Job]]:
    """
    The jobs of a file, each after those it comes after.

    Raises:
        BlueprintError: With every problem, its file, line and path.
    """
    source = parse(read_text(path), str(path))
    return source, specification.read(source)


def check(desk: Desk, source: Source, jobs: Mapping[str, Job]) -> None:
    """
    Refuse what the service does not give, before anything is touched.

    Raises:
        JobsInvalid: With every problem.
        CloudError: The object store does not answer.
    """
    found = specification.complaints(source, jobs, desk.limits)
    found += specification.strangers(
        source, jobs, lambda name: submission.why_not_after(desk, name)
    )
    if found:
        raise JobsInvalid(found)


def artefacts(
    source: Source, jobs: Mapping[str, Job], folder: Path
) -> dict[str, bytes]:
    """
    What the jobs begin with, by reference.

    Raises:
        JobsInvalid: One of them cannot be had.
    """
    fetch = request.fetcher(folder)
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for job in jobs.values():
        reference = job.artefact
        if reference is None or reference in found:
            continue
        try:
            found[reference] = fetch(reference)
        except OSError as error:
            said = error.strerror or str(error)
            at = specification.place(source, jobs, job)
            problems.append(at(["artefact"], f"{reference}: {said}"))
    if problems:
        raise JobsInvalid(problems)
    return found


def submit(
    desk: Desk,
    source: Source,
    jobs: Mapping[str, Job],
    folder: Path,
    *,
    again: str = "",
) -> tuple[str, ...]:
    """
    See to it that the jobs are there; their ids. Saying it twice is saying it once, unless `again` differs.

    Raises:
        JobsInvalid: The service does not give what they ask for, or an artefact cannot be had.
        CloudError: Slurm, the cloud or the object store says no, or nothing.
    """
    check(desk, source, jobs)
    content = artefacts(source, jobs, folder)
    ids: dict[str, str] = {}
    for name, job in jobs.items():
        after = tuple(ids.get(one, one) for one in job.after)
        placed = job.model_copy(update={"after": after})
        artefact = content.get(job.artefact or "", b"")
        ids[name] = submission.id_of(placed, artefact, again)
        submission.submit(desk, placed, ids[name], artefact)
    return tuple(ids.values())


def follow(
    desk: Desk,
    ids: tuple[str, ...],
    tell: Tell,
    *,
    yields: Yields = nobody,
    audience: Audience = NOBODY,
) -> tuple[JobStatus, ...]:
    """
    Look until all of them are over, and see to the workers in between; how they ended. A silence is waited out.
    """
    workshop, looks = desk.workshop, 0
    ended: dict[str, JobStatus] = {}
    while len(ended) < len(ids):
        try:
            desk = find(workshop, desk.service.name, desk.service.platform)
            _look(desk, ids, ended, tell)
            if looks % TEND_EVERY == 0 and len(ended) < len(ids):
                tending.tend(desk, yields=yields, audience=audience)
        except (CloudError, LeaseHeld) as error:
            _log.warning("batch_not_seen", error=str(error))
        looks += 1
        if len(ended) < len(ids):
            workshop.clock.sleep(LOOK_SECONDS)
    return tuple(ended[one] for one in ids)


def _look(
    desk: Desk, ids: tuple[str, ...], ended: dict[str, JobStatus], tell: Tell
) -> None:
    records = desk.engine.tasks()
    for one in ids:
        kept = desk.shelf.job(one)
        if kept is None or one in ended:
            continue
        status = progress.status(desk, kept, records)
        tell(status)
        if status.is_over:
            ended[one] = status
