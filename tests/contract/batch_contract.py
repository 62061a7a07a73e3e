"""
What every batch engine keeps, whatever it is: the laws by name, each of an engine with two workers of one CPU and nothing to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

import pytest
from pydantic import JsonValue

from blueprints.batch import reading
from blueprints.batch.reading import Node, Record, Stage
from tasks.operators import ClusterRefused
from tasks.operators.slurm_interface import Engine

LOOKS_MAX = 60
"""Of one second: a task whose worker is down begins again a quarter of a minute later."""

SHORT, BAD = "#!/bin/sh\nsleep 2\n", "#!/bin/sh\nexit 3\n"
LONG = "#!/bin/sh\nsleep 600\n"
UNKNOWN = 99_999


class Rig(Protocol):
    """
    An engine under contract.
    """

    engine: Engine
    workers: tuple[str, ...]

    def pass_time(self) -> None:
        """A second, or what stands for one."""
        ...


def order(name: str, **more: JsonValue) -> dict[str, JsonValue]:
    """
    A job as we submit it.
    """
    return {
        "name": name,
        "comment": f"{reading.COMMENT}{name}",
        "partition": "main",
        "current_working_directory": "/",
        "standard_output": "/dev/null",
        "standard_error": "/dev/null",
        "tasks": 1,
        "cpus_per_task": 1,
        "memory_per_node": 32,
        "time_limit": 12,
        "requeue": True,
        "environment": {"PATH": "/usr/bin:/bin"},
        **more,
    }


def of(rig: Rig, name: str) -> tuple[Record, ...]:
    """
    What it knows of a job.
    """
    return tuple(one for one in rig.engine.tasks() if one.job == name)


def until(
    rig: Rig, name: str, true: Callable[[tuple[Record, ...]], bool]
) -> tuple[Record, ...]:
    """
    What it knows of a job once that is so.
    """
    for _ in range(LOOKS_MAX):
        found = of(rig, name)
        if found and true(found):
            return found
        rig.pass_time()
    raise AssertionError(f"it did not come to that: {of(rig, name)}")


def over(records: tuple[Record, ...]) -> bool:
    """Nothing of it waits or runs."""
    return all(one.stage is Stage.ENDED for one in records)


def running(records: tuple[Record, ...]) -> bool:
    """Something of it runs."""
    return any(one.stage is Stage.RUNNING for one in records)


def node(rig: Rig, name: str) -> Node:
    """A worker as the engine tells of it."""
    return next(one for one in rig.engine.nodes() if one.name == name)


def at_rest(rig: Rig) -> None:
    """
    It is up, knows its workers, and they have nothing to do.
    """
    assert rig.engine.ping()
    found = {one.name: one for one in rig.engine.nodes()}
    assert set(rig.workers) <= set(found)
    for name in rig.workers:
        one = found[name]
        assert (one.works, one.gone, one.leaving, one.cpus) == (False, False, False, 1)


def a_job_ends_well(rig: Rig) -> None:
    """
    It is one record of ours, with queue and tenant, and is done with code 0.
    """
    number = rig.engine.submit(SHORT, order("well-1", account="red"))
    (record,) = until(rig, "well-1", over)

    assert (record.number, record.indexes) == (number, (0,))
    assert (record.queue, record.tenant) == ("main", "red")
    assert (record.cause, record.code, record.restarts) == ("done", 0, 0)


def a_job_fails(rig: Rig) -> None:
    """
    It ended, with its code, and is not tried again by the engine.
    """
    rig.engine.submit(BAD, order("bad-1"))
    (record,) = until(rig, "bad-1", over)

    assert (record.cause, record.code, record.restarts) == ("failed", 3, 0)


def an_array_is_each_task_once(rig: Rig) -> None:
    """
    At every look each of its tasks stands in one record, never more run than there are workers, and all end well.
    """
    rig.engine.submit(SHORT, order("array-1", array="0-2,5"))
    for _ in range(LOOKS_MAX):
        found = of(rig, "array-1")
        assert Counter(i for one in found for i in one.indexes) == {
            0: 1,
            1: 1,
            2: 1,
            5: 1,
        }
        assert sum(one.stage is Stage.RUNNING for one in found) <= len(rig.workers)
        if over(found):
            break
        rig.pass_time()
    assert {one.cause for one in found} == {"done"}
    assert {one.node for one in found} <= set(rig.workers)


def no_more_at_once_than_asked_for(rig: Rig) -> None:
    """
    An array of which one task may run at a time has one, though two workers are free.
    """
    rig.engine.submit(SHORT, order("slow-1", array="0-2%1"))
    for _ in range(LOOKS_MAX):
        found = of(rig, "slow-1")
        assert sum(one.stage is Stage.RUNNING for one in found) <= 1
        if over(found):
            return
        rig.pass_time()
    raise AssertionError("it did not end")


def a_job_waits_for_another(rig: Rig) -> None:
    """
    It is held until the other has ended well, and then runs.
    """
    first = rig.engine.submit(SHORT, order("first-1"))
    rig.engine.submit(SHORT, order("then-1", dependency=f"afterok:{first}"))
    (held,) = of(rig, "then-1")
    assert (held.stage, held.held) == (Stage.WAITING, True)

    (record,) = until(rig, "then-1", over)
    assert record.cause == "done"
    assert over(of(rig, "first-1"))


def a_job_after_one_that_failed_is_cancelled(rig: Rig) -> None:
    """
    It never begins, and does not wait for ever.
    """
    first = rig.engine.submit(BAD, order("wrong-1"))
    rig.engine.submit(SHORT, order("never-1", dependency=f"afterok:{first}"))

    (record,) = until(rig, "never-1", over)
    assert record.cause == "cancelled"


def what_is_cancelled_ends(rig: Rig) -> None:
    """
    Tasks that run and those that wait; once more, or of a job that nobody knows, is no error.
    """
    number = rig.engine.submit(LONG, order("off-1", array="0-4"))
    until(rig, "off-1", running)
    rig.engine.cancel(number)

    found = until(rig, "off-1", over)
    assert {one.cause for one in found} == {"cancelled"}
    rig.engine.cancel(number)
    rig.engine.cancel(UNKNOWN)


def who_drains_begins_nothing(rig: Rig) -> None:
    """
    What is submitted while all are about to leave waits, and begins where one was told to stay.
    """
    first, second = rig.workers
    for name in rig.workers:
        rig.engine.change_node(name, "DRAIN", "leaves")
        assert node(rig, name).leaving
    rig.engine.submit(SHORT, order("drained-1", array="0-2"))
    rig.pass_time()
    assert not running(of(rig, "drained-1"))
    rig.engine.change_node(second, "RESUME", "stays")
    assert not node(rig, second).leaving

    found = until(rig, "drained-1", over)
    assert {one.node for one in found} == {second}
    rig.engine.change_node(first, "RESUME", "stays")
    assert not node(rig, first).leaving


def who_is_down_gives_its_task_back(rig: Rig) -> None:
    """
    It begins again elsewhere, is told to have begun anew, and ends once. Who answers all the same is no more down, and begins nothing.
    """
    number = rig.engine.submit(LONG, order("lost-1"))
    (before,) = until(rig, "lost-1", running)
    rig.engine.change_node(before.node, "DRAIN", "leaves")
    rig.engine.change_node(before.node, "DOWN", "leaves")

    (again,) = until(rig, "lost-1", lambda r: running(r) and r[0].node != before.node)
    assert (again.number, again.restarts) == (number, 1)
    assert node(rig, before.node).leaving
    rig.engine.cancel(number)
    until(rig, "lost-1", over)
    rig.engine.change_node(before.node, "RESUME", "is back")
    assert not node(rig, before.node).leaving


def the_higher_priority_begins_first(rig: Rig) -> None:
    """
    Of two that wait the later one begins first when it was given more; of an array all that wait is meant.
    """
    blocker = rig.engine.submit(LONG, order("room-1", array="0-1"))
    until(rig, "room-1", lambda r: all(one.stage is Stage.RUNNING for one in r))
    early = rig.engine.submit(LONG, order("early-1", array="0-3"))
    late = rig.engine.submit(LONG, order("late-1", array="0-3"))
    single = rig.engine.submit(LONG, order("single-1"))
    rig.engine.change_job(early, priority=100)
    rig.engine.change_job(late, priority=200)
    rig.engine.change_job(single, priority=50)
    assert [of(rig, n)[0].priority for n in ("early-1", "late-1", "single-1")] == [
        100,
        200,
        50,
    ]

    rig.engine.cancel(blocker)
    found = until(
        rig, "late-1", lambda r: sum(one.stage is Stage.RUNNING for one in r) == 2
    )
    assert {one.priority for one in found} == {200}
    for number in (early, late, single):
        rig.engine.cancel(number)
    for name in ("early-1", "late-1", "single-1"):
        until(rig, name, over)


def what_cannot_be_is_refused(rig: Rig) -> None:
    """
    A queue, a job and a worker that nobody knows.
    """
    engine = rig.engine
    with pytest.raises(ClusterRefused):
        engine.submit(SHORT, order("nowhere-1", partition="nowhere"))
    with pytest.raises(ClusterRefused):
        engine.change_job(UNKNOWN, priority=5)
    with pytest.raises(ClusterRefused):
        engine.change_node("nobody", "DRAIN", "leaves")


def a_forgotten_worker_is_known_no_more(rig: Rig) -> None:
    """
    Not while it works; and forgetting it once more is no error.
    """
    number = rig.engine.submit(LONG, order("busy-1"))
    (busy,) = until(rig, "busy-1", running)
    with pytest.raises(ClusterRefused):
        rig.engine.forget_node(busy.node)
    rig.engine.cancel(number)
    until(rig, "busy-1", over)
    for _ in range(LOOKS_MAX):
        if not node(rig, busy.node).works:
            break
        rig.pass_time()

    rig.engine.forget_node(busy.node)
    assert busy.node not in {one.name for one in rig.engine.nodes()}
    rig.engine.forget_node(busy.node)


LAWS: tuple[Callable[[Rig], None], ...] = (
    at_rest,
    a_job_ends_well,
    a_job_fails,
    an_array_is_each_task_once,
    no_more_at_once_than_asked_for,
    a_job_waits_for_another,
    a_job_after_one_that_failed_is_cancelled,
    what_is_cancelled_ends,
    who_drains_begins_nothing,
    who_is_down_gives_its_task_back,
    the_higher_priority_begins_first,
    what_cannot_be_is_refused,
)
LAST = a_forgotten_worker_is_known_no_more
"""A worker whose daemon runs is known again only when that begins anew."""
