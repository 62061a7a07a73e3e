"""
Fair share at work: what tenants used is kept beside their jobs, and what waits gets the priority that follows from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from blueprints.batch import fairness
from blueprints.batch.fairness import Sharing
from blueprints.batch.reading import Record
from fournines import log
from fournines.cloud.errors import CloudError
from tasks.batch.desk import Desk
from tasks.operators import ClusterRefused

_log = log.get("batch")


def share(desk: Desk, records: Iterable[Record]) -> int:
    """
    Count what was used, and put what waits in its order; how many jobs that moved. Two who do it at once do the same.

    Raises:
        CloudError: Slurm or the object store does not answer.
    """
    sharing = Sharing.of(desk.service.parameters)
    if not sharing.is_asked_for:
        return 0
    known = tuple(records)
    now = desk.workshop.clock.now().timestamp()
    usage = fairness.used(desk.shelf.usage(now), known, now, sharing)
    desk.shelf.keep_usage(usage)
    moved = 0
    for one in fairness.changes(known, usage, sharing):
        moved += _set(desk, one.number, one.priority)
    return moved


def begin(desk: Desk, number: int, tenant: str) -> None:
    """
    A new job takes its place in the order; where that fails, at the next look.
    """
    sharing = Sharing.of(desk.service.parameters)
    if not sharing.is_asked_for:
        return
    with contextlib.suppress(CloudError):
        usage = desk.shelf.usage(desk.workshop.clock.now().timestamp())
        _set(desk, number, fairness.priority(tenant, usage, sharing))


def _set(desk: Desk, number: int, priority: int) -> bool:
    try:
        desk.engine.change_job(number, priority=priority)
    except ClusterRefused as error:
        # It has begun or ended meanwhile.
        _log.info("batch_not_reordered", number=number, error=str(error))
        return False
    return True
