"""
How many workers a batch service should have: what waits, what runs, who has had nothing to do, and what it must leave to others. Pure.

Only the workers with the highest numbers can go, so Slurm fills those with low numbers first; one that works keeps all below it.
"""

from __future__ import annotations

import math

from pydantic import JsonValue

from fournines.model.value import Value


class Bounds(Value):
    """
    What a service's owner allows.
    """

    workers_min: int
    workers_max: int
    cpus: int
    idle_seconds: int

    @classmethod
    def of(cls, parameters: dict[str, JsonValue]) -> Bounds:
        """
        Of a batch service, by its parameters.
        """
        return cls.model_validate({k: parameters[k] for k in cls.model_fields})


class Worker(Value):
    """
    A worker as the decision sees it.

    Attributes:
        number: Of its slot.
        idle_seconds: Since when it has nothing to do; None while it has, or nobody can say.
    """

    number: int
    idle_seconds: float | None = None


class Load(Value):
    """
    What is to be done now.

    Attributes:
        waiting: CPUs that tasks wait for which might begin at once.
        running: CPUs that are at work.
    """

    waiting: int = 0
    running: int = 0


class Size(Value):
    """
    The workers there should be, and why.
    """

    count: int
    why: str


def wanted(
    now: int,
    load: Load,
    workers: tuple[Worker, ...],
    bounds: Bounds,
    *,
    yielding_to: str = "",
) -> Size:
    """
    The size a service should have that has `now` workers.

    Args:
        now: Workers asked for at present.
        load: What is to be done.
        workers: Those that are there.
        bounds: What its owner allows.
        yielding_to: The online service that lacks room, when one does.
    """
    if yielding_to:
        fewer = min(now, bounds.workers_min)
        return Size(
            count=fewer,
            why=f"{yielding_to} burns its budget for want of room, and batch yields"
            if fewer < now
            else f"at its minimum while {yielding_to} lacks room",
        )
    need = math.ceil((load.waiting + load.running) / bounds.cpus)
    if now < bounds.workers_min:
        return Size(count=bounds.workers_min, why="fewer than workers_min")
    if now > bounds.workers_max:
        return Size(count=bounds.workers_max, why="more than workers_max")
    if need > now:
        count = min(need, bounds.workers_max)
        limited = " (workers_max)" if need > bounds.workers_max else ""
        if count > now:
            return Size(count=count, why=f"tasks wait for {load.waiting} CPUs{limited}")
        return Size(count=now, why=f"tasks wait for {load.waiting} CPUs{limited}")
    return _fewer(now, workers, bounds)


def _fewer(now: int, workers: tuple[Worker, ...], bounds: Bounds) -> Size:
    """
    Without those at the end that had nothing to do for long.
    """
    idle = {
        worker.number
        for worker in workers
        if worker.idle_seconds is not None
        and worker.idle_seconds >= bounds.idle_seconds
    }
    count = now
    while count > bounds.workers_min and count - 1 in idle:
        count -= 1
    if count < now:
        return Size(
            count=count,
            why=f"{now - count} had nothing to do for {bounds.idle_seconds} s",
        )
    return Size(count=now, why="as it should be")
