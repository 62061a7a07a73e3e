"""
Tenants share workers: who used less than its share goes first, at submission and at every look, and in the long run each gets its part.
"""

from __future__ import annotations

import pytest

from blueprints.batch.reading import Stage
from blueprints.batch.specification import Array, Job
from tasks.batch import sharing
from tasks.operators import ClusterSilent
from tests.story.test_batch_jobs import Rig


def a_rig(**tenants: int) -> Rig:
    """One with two workers."""
    made = Rig(tenants=tenants, usage_half_life_hours=1)
    made.engine.join("w-0")
    made.engine.join("w-1")
    return made


def a_job(tenant: str, count: int) -> Job:
    """An array of one tenant."""
    return Job(name=tenant, command="true", tenant=tenant, array=Array(count=count))


def ended(rig: Rig, tenant: str) -> int:
    """How many of its tasks have."""
    records = rig.engine.tasks()
    return sum(r.tenant == tenant and r.stage is Stage.ENDED for r in records)


def work(rig: Rig, looks: int) -> None:
    """So many seconds, looked at in each."""
    for _ in range(looks):
        rig.work()
        sharing.share(rig.desk, rig.engine.tasks())


@pytest.mark.parametrize(("red", "blue"), [(1, 1), (3, 1), (1, 3)])
def test_in_the_long_run_each_gets_its_part(red, blue):
    """
    Of tasks that always wait as many end as the shares say.
    """
    rig = a_rig(red=red, blue=blue)
    rig.submit(a_job("red", 90))
    rig.submit(a_job("blue", 90))
    work(rig, 40)

    part = ended(rig, "red") / (ended(rig, "red") + ended(rig, "blue"))
    assert part == pytest.approx(red / (red + blue), abs=0.05)


def test_who_comes_later_need_not_wait_for_the_others_array():
    """
    A tenant that used nothing begins next, though a long array of another was there before it.
    """
    rig = a_rig(red=1, blue=1)
    rig.submit(a_job("red", 90))
    work(rig, 10)
    rig.submit(a_job("blue", 2))
    work(rig, 2)

    assert ended(rig, "blue") == 2


def test_without_shares_first_come_is_first_served():
    """
    Nothing is weighed and nothing kept where one tenant has all.
    """
    for tenants in ({}, {"red": 1}):
        rig = a_rig(**tenants)
        rig.submit(a_job("red", 6))
        work(rig, 1)
        assert {one.priority for one in rig.engine.tasks()} == {1}
        assert rig.desk.shelf.usage(5.0).at == 5.0


def test_a_silence_after_the_submission_is_made_good():
    """
    A job that was taken and not put in its place is there, once, and finds its place at the next look.
    """
    rig = a_rig(red=1, blue=1)
    change = rig.engine.change_job

    def silent(number: int, **changes: object) -> None:
        raise ClusterSilent("changing", "nobody answers")

    rig.engine.change_job = silent
    rig.submit(a_job("red", 3))
    assert len(rig.engine.submitted) == 1
    rig.engine.change_job = change
    work(rig, 1)

    waiting = [one for one in rig.engine.tasks() if one.stage is Stage.WAITING]
    assert waiting
    assert all(one.priority > 1 for one in waiting)
