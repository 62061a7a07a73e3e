"""
Jobs of a batch service from submission to their end, on an engine and an object store in memory.
"""

from __future__ import annotations

import json

import pytest

from blueprints.batch.specification import Array, Job
from fournines.model.desired import Group, Service
from tasks.batch import progress, submission, tending
from tasks.batch.desk import Desk
from tasks.batch.progress import State
from tasks.batch.shelf import Shelf
from tasks.batch.simulated import SimulatedEngine
from tasks.batch.submission import JobRefused
from tasks.operators import ClusterSilent
from tests.unwind.harness import PLATFORM, World

PARAMETERS = {
    "queues": {"main": {}},
    "tenants": {},
    "cpus": 1,
    "memory_mb": 128,
    "array_max": 100,
    "workers_min": 0,
    "workers_max": 4,
    "idle_seconds": 60,
}
JOB = Job(name="count", command="true", array=Array(count=5))


class Rig:
    """
    A desk whose workers keep their results as real ones do.
    """

    def __init__(self, **parameters: object) -> None:
        self.world = World()
        workshop = self.world.workshop()
        self.engine = SimulatedEngine(self.world.clock)
        groups = tuple(
            Group(name=n, count=1, image="slurm", flavor="m1.tiny", network="n")
            for n in ("controller", "workers")
        )
        service = Service(
            platform=PLATFORM,
            name="jobs",
            blueprint="batch",
            blueprint_version="1.0.0",
            parameters=PARAMETERS | parameters,
            groups=groups,
        )
        self.objects = self.world.objects
        self.desk = Desk(workshop, service, self.engine, Shelf(self.objects, "jobs"))
        self.desk.shelf.open()

    def submit(self, job: Job = JOB) -> str:
        """Its id."""
        job_id = submission.id_of(job, b"")
        submission.submit(self.desk, job, job_id)
        return job_id

    def work(self, seconds: float = 1.0, *, fail: tuple[int, ...] = ()) -> None:
        """Time passes; what ends keeps its result."""
        self.world.clock.advance(seconds)
        for one in self.engine.tasks():
            if one.cause == "done":
                self.keep(one.job, one.indexes[0], 1 if one.indexes[0] in fail else 0)

    def keep(self, job: str, task: int, code: int = 0) -> None:
        """As the keeper of a worker does."""
        said = json.dumps({"cause": "failed" if code else "done", "code": code})
        self.objects.write("jobs", f"jobs/{job}/{task}/result", said.encode())
        if code:
            self.objects.write("jobs", f"jobs/{job}/{task}/bad/failed-{code}", b"")

    def status(self, job_id: str):
        """How the job is."""
        return progress.of(self.desk, job_id)


@pytest.fixture
def rig() -> Rig:
    """One with two workers."""
    made = Rig()
    made.engine.join("w-0")
    made.engine.join("w-1")
    return made


def test_a_job_runs_to_its_end(rig):
    """
    It waits, runs as workers are free, and is done when every task has a result; then it is so for good.
    """
    job = rig.submit()
    assert rig.status(job).state in {State.WAITING, State.RUNNING}
    for _ in range(4):
        rig.work()
    assert rig.status(job).state is State.DONE

    rig.engine.forget_everything()
    assert rig.status(job).causes == {"done": 5}
    assert [one.id for one in progress.every(rig.desk, ended_max=9)] == [job]


def test_submitting_twice_is_submitting_once(rig):
    """
    The same job said again, at any moment, doubles nothing.
    """
    first = rig.submit()
    rig.work()
    second = rig.submit()
    for _ in range(5):
        rig.work()
    rig.status(first)
    third = rig.submit()

    assert first == second == third
    assert len(rig.engine.submitted) == 1


def test_a_crash_between_keeping_and_submitting_is_made_good(rig):
    """
    Slurm did not answer when the job was kept; the next look submits it, once.
    """
    rig.engine.silent = True
    with pytest.raises(ClusterSilent):
        rig.submit()
    rig.engine.silent = False

    assert tending.resubmit(rig.desk) == 5
    assert tending.resubmit(rig.desk) == 0
    assert len(rig.engine.submitted) == 1


def test_only_what_is_lacking_is_submitted_again(rig):
    """
    A controller that forgot everything is given those tasks that have no result yet.
    """
    job = rig.submit()
    rig.status(job)
    rig.work()
    rig.engine.forget_everything()

    assert tending.resubmit(rig.desk) == 3
    assert rig.engine.submitted[-1]["array"] == "2-4"
    for _ in range(3):
        rig.work()
    assert rig.status(job).state is State.DONE


def test_a_cancelled_job_stays_cancelled(rig):
    """
    Its tasks end, and no later look submits them anew.
    """
    job = rig.submit()
    rig.status(job)
    assert submission.cancel(rig.desk, job)
    assert rig.status(job).state is State.CANCELLED

    rig.engine.forget_everything()
    assert tending.resubmit(rig.desk) == 0
    assert not submission.cancel(rig.desk, job)


def test_a_job_after_another_waits_for_it(rig):
    """
    It is told to Slurm with what it waits for, and asks for no worker before.
    """
    first = rig.submit()
    later = Job(name="sum", command="true", after=(first,))
    rig.submit(later)

    assert rig.engine.submitted[-1]["dependency"] == "afterok:1"
    held = [one for one in rig.engine.tasks() if one.held]
    assert [one.job[:3] for one in held] == ["sum"]
    assert tending.load(held).waiting == 0


def test_a_job_after_one_that_failed_is_refused(rig):
    """
    So is one after a job that nobody knows; the sentence says what to do.
    """
    first = rig.submit()
    rig.status(first)
    for _ in range(4):
        rig.work(fail=(3,))
    failed = rig.status(first)
    assert (failed.state, failed.bad) == (State.FAILED, {3: ("failed", 1)})

    with pytest.raises(JobRefused, match="did not end well; submit that one again"):
        rig.submit(Job(name="sum", command="true", after=(first,)))
    with pytest.raises(JobRefused, match="there is no such job"):
        rig.submit(Job(name="sum", command="true", after=("nobody-1",)))


def test_workers_follow_the_queue(rig):
    """
    Waiting tasks ask for as many workers as are allowed; what had nothing to do for long may go.
    """
    rig.submit()
    rig.engine.tasks()
    assert tending.decide(rig.desk, 2, "").count == 4
    for _ in range(5):
        rig.work()
    rig.world.clock.advance(61)
    assert tending.decide(rig.desk, 2, "").count == 0
    assert tending.decide(rig.desk, 2, "shop").count == 0


def test_a_worker_that_is_down_gives_its_task_back(rig):
    """
    The task begins again elsewhere and counts as begun anew.
    """
    job = rig.submit()
    rig.status(job)
    rig.engine.change_node("w-0", "DOWN", "it died")

    again = [one for one in rig.engine.tasks() if one.restarts]
    assert len(again) == 1
    rig.engine.forget_node("w-0")
    for _ in range(6):
        rig.work()
    assert rig.status(job).state is State.DONE
