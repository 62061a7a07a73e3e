"""
The button *run-batch-job* and the schedule *tend-batch* on a real Prefect API: their deployments as prefect.yaml has them, and runs on the simulated
cloud, engine and object store.
"""

from __future__ import annotations

import dataclasses
import json

import pytest
import yaml

from fournines.settings import ROOT
from tasks import deployment, opening, vaults
from tasks.batch.simulated import SimulatedEngine, SimulatedSlurm
from tests.story.test_batch_yields import a_batch_service
from tests.unwind.harness import PLATFORM, World, a_platform

pytestmark = pytest.mark.prefect

JOBS = """\
jobs:
  many: {command: "true", array: 6}
  after: {command: "true", after: [many]}
"""


class Stage:
    """
    A deployed batch service of no workers yet, whose tasks keep their results as real ones do.
    """

    def __init__(self) -> None:
        self.world = World()
        self.engine = SimulatedEngine(self.world.clock)
        workshop = self.world.workshop(parallel_steps_max=4)
        self.workshop = dataclasses.replace(
            workshop,
            operators={
                **workshop.operators,
                "batch": lambda w: SimulatedSlurm(self.engine, w.clock),
            },
        )
        service = a_batch_service()
        controller, workers = service.groups
        groups = (controller, workers.model_copy(update={"count": 0}))
        service = service.model_copy(update={"groups": groups})
        platform = a_platform().model_copy(update={"services": (service,)})
        network = platform.network.name
        groups = tuple(g.model_copy(update={"network": network}) for g in groups)
        service = service.model_copy(update={"groups": groups})
        result = deployment.deploy(
            self.workshop, platform.model_copy(update={"services": (service,)})
        )
        assert result.ok, result.sentence()
        self.vault = vaults.opened(self.workshop, PLATFORM, "jobs")
        self.engine.keep = self.keep

    def keep(self, job: str, task: int, code: int) -> None:
        """As the keeper of a worker does."""
        place = f"jobs/{job}/{task}"
        said = {"cause": "failed" if code else "done", "code": code}
        write = self.vault.store.write
        write(self.vault.bucket, f"{place}/result", json.dumps(said).encode())
        if code:
            write(self.vault.bucket, f"{place}/bad/failed-{code}", b"")

    def workers(self) -> int:
        """As asked for now."""
        platform = self.workshop.store.registry.platform(PLATFORM)
        return platform.service("jobs").group("workers").count


@pytest.fixture
def stage(prefect):
    """
    Lent to the flows.
    """
    made = Stage()
    token = opening.lent.set(made.workshop)
    yield made
    opening.lent.reset(token)


def declared(name: str) -> dict:
    """
    A deployment as prefect.yaml has it.
    """
    told = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())
    return next(one for one in told["deployments"] if one["name"] == name)


def registered(name: str):
    """
    The same on the server; its id.
    """
    from prefect.deployments.runner import RunnerDeployment

    told = declared(name)
    made = RunnerDeployment.from_entrypoint(
        told["entrypoint"],
        name=name,
        parameters=told.get("parameters"),
        interval=next((s["interval"] for s in told.get("schedules", ())), None),
    )
    return made.apply()


def test_the_button_exists_and_checks_what_is_typed(stage):
    """
    A run is made with what the form's fields mean; another type is refused before there is one, another field when it begins.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ParameterBindError, PrefectHTTPStatusError

    from flows.batch import run_batch_job

    button = registered("run-batch-job")
    with get_client(sync_client=True) as client:
        known = client.read_deployment(button)
        fields = known.parameter_openapi_schema["properties"]
        run = client.create_flow_run_from_deployment(button)
        with pytest.raises(PrefectHTTPStatusError, match="is not of type 'string'"):
            client.create_flow_run_from_deployment(
                button, parameters={"job_file": {"no": "text"}}
            )

    with pytest.raises(ParameterBindError):
        run_batch_job(jobfile="a.yaml")
    assert set(fields) == {"job_file", "service", "platform", "again"}
    assert run.parameters == {"job_file": "examples/batch-job.yaml"}


def test_the_schedule_is_every_five_minutes(stage):
    """
    The server has it, active, and the flow it names looks after the service.
    """
    from prefect.client.orchestration import get_client

    from flows.batch import tend_batch

    timer = registered("tend-batch")
    with get_client(sync_client=True) as client:
        (schedule,) = client.read_deployment(timer).schedules
    assert (schedule.active, schedule.schedule.interval.total_seconds()) == (True, 300)
    assert tend_batch() == [f"{PLATFORM}/jobs: 0 workers (as it should be)"]


def test_the_button_runs_jobs_to_their_end(stage, tmp_path):
    """
    Workers come for what waits, the second job follows the first, plan and progress are artifacts; pressed again nothing runs twice.
    """
    from prefect.client.orchestration import get_client

    from flows.batch import run_batch_job

    file = tmp_path / "jobs.yaml"
    file.write_text(JOBS)
    state = run_batch_job(str(file), return_state=True)

    assert state.is_completed(), state.message
    ended = state.result()
    assert [(one.state, one.causes) for one in ended] == [
        ("done", {"done": 6}),
        ("done", {"done": 1}),
    ]
    assert stage.workers() == 4
    with get_client(sync_client=True) as client:
        artifacts = {artifact.key for artifact in client.read_artifacts()}
    assert {"jobs", f"plan-{PLATFORM}-jobs"} <= artifacts

    assert run_batch_job(str(file), return_state=True).is_completed()
    assert len(stage.engine.submitted) == 2
    assert run_batch_job(str(file), again="x", return_state=True).is_completed()
    assert len(stage.engine.submitted) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "name: a\nscript: |\n  #!/bin/sh\n  exit 3\n",
            "1 failed",
            id="a-job-that-fails",
        ),
        pytest.param(
            "name: a\ncommand: x\nqueue: fast\n",
            "jobs.yaml:3: queue: there is no queue 'fast'",
            id="a-queue-that-is-none",
        ),
        pytest.param("", "jobs.yaml", id="an-empty-file"),
    ],
)
def test_a_run_that_ended_badly_has_failed(stage, tmp_path, text, said):
    """
    Its message says how; a file that is refused has touched nothing.
    """
    from flows.batch import run_batch_job

    file = tmp_path / "jobs.yaml"
    file.write_text(text)
    state = run_batch_job(str(file), return_state=True)

    assert state.is_failed()
    assert said in state.message
    assert bool(stage.engine.submitted) == ("script" in text)
