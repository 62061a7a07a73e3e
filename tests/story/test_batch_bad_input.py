"""
What is wrong with jobs beyond their own file: said at its line before anything is kept, submitted or scaled.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from blueprints.batch import specification
from blueprints.batch.specification import Array, Job, JobsInvalid
from blueprints.source import parse
from fournines.cloud.errors import CloudUnreachable
from tasks.batch import running
from tests.story.test_batch_jobs import Rig

FIRST = "jobs:\n  first: {command: x}\n"


@pytest.fixture
def rig() -> Rig:
    """One whose job `count` failed, and whose job `well` did not."""
    made = Rig()
    made.engine.join("w-0")
    for name, failing in (("bad", (0,)), ("well", ())):
        job = made.submit(Job(name=name, command="true", array=Array(count=1)))
        made.status(job)
        made.work(2, fail=failing)
        made.status(job)
    return made


def submit(rig: Rig, text: str, folder: Path) -> tuple[str, ...]:
    """A file's jobs."""
    source = parse(text, "jobs.yaml")
    return running.submit(rig.desk, source, specification.read(source), folder)


def ids(rig: Rig) -> dict[str, str]:
    """Of jobs by their names."""
    return {i.rpartition("-")[0]: i for some in rig.desk.shelf.ids() for i in some}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            FIRST + "  then: {command: x, after: [fist]}\n",
            "jobs.yaml:3: jobs.then.after: fist: there is no such job; "
            "`fournines batch list` shows them; did you mean 'first'?",
            id="after-a-job-mistyped",
        ),
        pytest.param(
            FIRST + "  then: {command: x, after: [BAD]}\n",
            "jobs.yaml:3: jobs.then.after: BAD: that did not end well; submit that one",
            id="after-a-job-that-failed",
        ),
        pytest.param(
            "name: a\ncommand: x\nafter: [nobody-1]\n",
            "jobs.yaml:3: after: nobody-1: there is no such job",
            id="after-nobody",
        ),
        pytest.param(
            FIRST + "  then: {command: x, artefact: none.tgz}\n",
            "jobs.yaml:3: jobs.then.artefact: none.tgz: No such file or directory",
            id="an-artefact-that-is-not-there",
        ),
        pytest.param(
            FIRST + "  then: {command: x, queue: fast}\n",
            "jobs.yaml:3: jobs.then.queue: there is no queue 'fast'; there is main",
            id="an-unknown-queue",
        ),
        pytest.param(
            FIRST + "  then: {command: x, array: 101}\n",
            "jobs.yaml:3: jobs.then.array: 101 tasks are more than the 100 of one array",
            id="over-what-is-given",
        ),
    ],
)
def test_nothing_is_touched_for_a_file_with_a_problem(rig, tmp_path, text, said):
    """
    Not even the jobs of it that are well.
    """
    before = ids(rig)
    failed = before["bad"]
    objects = {one.name for one in rig.objects.objects("jobs", "")}
    with pytest.raises(JobsInvalid) as refused:
        submit(rig, text.replace("BAD", failed), tmp_path)

    assert said.replace("BAD", failed) in str(refused.value)
    assert len(rig.engine.submitted) == 2
    assert {one.name for one in rig.objects.objects("jobs", "")} == objects


def test_a_job_may_come_after_one_that_ended_well(rig, tmp_path):
    """
    An earlier one by its id.
    """
    submit(rig, f"name: a\ncommand: x\nafter: [{ids(rig)['well']}]\n", tmp_path)

    assert len(rig.engine.submitted) == 3


def test_without_an_object_store_nothing_is_submitted(rig, tmp_path):
    """
    It is said that it does not answer, and Slurm hears of nothing.
    """
    rig.objects.away = True
    with pytest.raises(CloudUnreachable):
        submit(rig, "name: a\ncommand: x\n", tmp_path)

    assert len(rig.engine.submitted) == 2
