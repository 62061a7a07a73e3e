"""
Jobs as people write them: what is read, and what is refused with one sentence that names file, place and remedy.
"""

from __future__ import annotations

import pytest

from blueprints.batch import exits, specification
from blueprints.batch.specification import Limits, Queue
from blueprints.problem import BlueprintError
from blueprints.source import parse

LIMITS = Limits(
    queues={"main": Queue(), "quick": Queue(priority=50, time_limit_minutes=10)},
    tenants={},
    cpus=2,
    memory_mb=512,
    array_max=1000,
)


def jobs(text: str):
    """The jobs of a text."""
    return specification.read(parse(text, "jobs.yaml"))


def test_one_job_needs_no_more_than_a_name_and_a_command():
    """
    Everything else has a default.
    """
    found = jobs("name: hello\ncommand: echo hello\n")

    job = found["hello"]
    assert job.text == "#!/bin/sh\necho hello\n"
    assert (job.count, job.seconds, job.retries.lost) == (1, None, 10)


def test_several_jobs_come_in_an_order_that_works():
    """
    Each stands after those it comes after, whatever their order in the file.
    """
    text = """
jobs:
  last: {command: "true", after: [middle, first]}
  middle: {command: "true", after: [first]}
  first: {command: "true", array: 10, time_limit: 2m}
"""
    found = jobs(text)

    assert list(found) == ["first", "middle", "last"]
    assert (found["first"].count, found["first"].seconds) == (10, 120)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "jobs:\n  a: {command: x, after: [b]}\n  b: {command: x, after: [a]}\n",
            "wait for each other for ever; take one `after` away",
            id="a-circle",
        ),
        pytest.param("command: x\n", "jobs.yaml:1: name: is needed", id="no-name"),
        pytest.param("name: a\n", "give either command or script", id="nothing-to-do"),
        pytest.param(
            "name: a\nscript: echo\n", "script must begin with #!", id="no-reader"
        ),
        pytest.param(
            "name: a\ncomand: x\n", "did you mean 'command'?", id="a-key-mistyped"
        ),
        pytest.param(
            "name: a\ncommand: x\ntime_limit: soon\n",
            "jobs.yaml:3: time_limit: 'soon' is no duration: write 90s, 30m",
            id="no-duration",
        ),
        pytest.param(
            "name: a\ncommand: x\nenvironment: {SLURM_X: y}\n",
            "jobs.yaml:3: environment: may not set 'SLURM_X', which is set for each task",
            id="slurms-own-variable",
        ),
        pytest.param(
            "jobs:\n  a: {command: x, after: [a]}\n",
            "jobs.yaml:2: jobs.a.after: a -> a wait for each other",
            id="after-itself",
        ),
        pytest.param(
            "name: a\ncommand: x\nafter: [a]\n",
            "jobs.yaml:3: after: a -> a wait for each other",
            id="one-job-after-itself",
        ),
        pytest.param("", "jobs.yaml: must be a mapping", id="an-empty-file"),
        pytest.param("- a\n", "jobs.yaml: must be a mapping", id="a-list"),
        pytest.param("jobs: [a]\n", "jobs: must hold jobs by name", id="jobs-a-list"),
        pytest.param(
            "jobs:\n  a: x\n", "jobs.yaml:2: jobs.a: must be a mapping", id="a-word"
        ),
        pytest.param(
            "jobs:\n  A: {command: x}\n",
            "jobs.yaml:2: jobs.A: 'A' is no name: lower-case letters",
            id="a-job-in-capitals",
        ),
        pytest.param(
            f"name: {'a' * 31}\ncommand: x\n", "at most 30, beginning", id="a-long-name"
        ),
        pytest.param(
            "name: a\ncommand: x\nafter: [B!]\n",
            "after[0]: 'B!' is no name: lower-case letters, digits and hyphens, at most 60",
            id="after-no-name",
        ),
        pytest.param(
            "name: a\ncommand: x\nafter: b\n",
            "jobs.yaml:3: after: must be a list, is 'b'",
            id="after-a-word",
        ),
        pytest.param(
            "name: a\ncommand: x\narray: true\n",
            "jobs.yaml:3: array: must be a number of tasks, or {count: 100, at_once: 10}",
            id="an-array-of-yes",
        ),
        pytest.param(
            "name: a\ncommand: x\narray: 0\n",
            "jobs.yaml:3: array.count: input should be greater than or equal to 1, is 0",
            id="an-array-of-none",
        ),
        pytest.param(
            "name: a\ncommand: x\nretries: 3\n",
            "jobs.yaml:3: retries: must be a mapping of keys to values, is 3",
            id="retries-a-number",
        ),
        pytest.param(
            "name: a\ncommand: x\nresources: {cpus: two}\n",
            "jobs.yaml:3: resources.cpus: must be a whole number, is 'two'",
            id="cpus-in-words",
        ),
        pytest.param(
            "name: a\ncommand: 5\n",
            "jobs.yaml:2: command: must be text, in quotes where it looks like something else, is 5",
            id="a-number-as-command",
        ),
        pytest.param(
            "name: a\ncommand: x\ntime_limit: -5\n",
            "jobs.yaml:3: time_limit: must be a number of seconds, or a duration: 90s",
            id="less-than-no-time",
        ),
        pytest.param(
            "name: a\ncommand: x\ntime_limit: 1.5\n",
            "jobs.yaml:3: time_limit: must be a number of seconds",
            id="half-a-second",
        ),
        pytest.param(
            "name: a\ncommand: x\nenvironment: {1a: b}\n",
            "jobs.yaml:3: environment: '1a' is no name of a variable",
            id="no-variable",
        ),
        pytest.param(
            "name: a\ncommand: x\nenvironment: {TASK: b}\n",
            "jobs.yaml:3: environment: may not set 'TASK'",
            id="what-each-task-is-told",
        ),
        pytest.param(
            'name: a\ncommand: "x\\0y"\n',
            "jobs.yaml:2: command: holds a character 0",
            id="a-character-0",
        ),
        pytest.param(
            "jobs: {}\n", "jobs.yaml:1: jobs: must hold jobs by name", id="no-jobs"
        ),
        pytest.param(
            "queue: main\njobs:\n  a: {command: x}\n",
            "jobs.yaml:1: queue: stands beside `jobs`; put it into a job",
            id="beside-jobs",
        ),
    ],
)
def test_what_is_no_job_is_refused(text, said):
    """
    One sentence for each mistake.
    """
    with pytest.raises(BlueprintError) as refused:
        jobs(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(
            "queue: quik",
            "jobs.yaml:3: queue: there is no queue 'quik'; did you mean 'quick'?",
            id="unknown-queue",
        ),
        pytest.param(
            "{queue: quick, time_limit: 11m}",
            "660 s is over the limit of queue quick, 10 minutes",
            id="over-the-queues-time",
        ),
        pytest.param("array: 1001", "more than the 1000 of one array", id="too-many"),
        pytest.param(
            "resources: {cpus: 3}", "3 CPUs fit on no worker, each gives 2", id="cpus"
        ),
        pytest.param(
            "resources: {memory_mb: 513}",
            "resources.memory_mb: 513 MB fit on no worker, each gives 512",
            id="memory",
        ),
    ],
)
def test_what_the_service_does_not_give_is_refused(line, said):
    """
    The problem stands at its line, with what there is.
    """
    more = line.strip("{}").replace(", ", "\n") if line.startswith("{") else line
    source = parse(f"name: a\ncommand: x\n{more}\n", "jobs.yaml")
    found = specification.complaints(source, specification.read(source), LIMITS)

    assert said in "\n".join(map(str, found))


def test_a_tenant_without_a_share_is_refused():
    """
    Where shares are given, whoever has none is told who has.
    """
    source = parse("name: a\ncommand: x\n", "jobs.yaml")
    limits = LIMITS.model_copy(update={"tenants": {"red": 1}})
    found = specification.complaints(source, specification.read(source), limits)

    assert "nobody has no share here; there is red" in str(found[0])


@pytest.mark.parametrize(
    ("cause", "code", "said"),
    [
        ("done", 0, "ended well"),
        ("memory", 137, "memory ran out; raise resources.memory_mb"),
        ("timeout", 124, "raise time_limit"),
        ("lost", 1, "no fault of the task"),
        ("failed", 143, "signal 15 (SIGTERM)"),
        ("failed", 127, "a command was not found"),
        ("failed", 3, "exit code 3; its log says more"),
        ("cancelled", 0, "it was cancelled"),
    ],
)
def test_exit_codes_are_explained(cause, code, said):
    """
    Each end in words that say what to do.
    """
    assert said in exits.explained(cause, code)
