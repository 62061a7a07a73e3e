"""
Batch processing on the embedded cloud: an array outlives the death of a worker and of the controller, and each task ends exactly once; and a real
Slurm keeps the contract that the simulated engine is held to.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import pytest

from fournines.model import names
from tasks.batch import desk as desks
from tasks.operators.slurm_interface import WORKERS, Engine
from tests.contract import batch_contract as contract
from tests.sandbox.services.command import fournines

pytestmark = [pytest.mark.sandbox, pytest.mark.full]

TASKS = 12
JOB = f"""\
name: proof
command: echo task $TASK; sleep 3; echo $TASK > $OUTPUT/number
array: {TASKS}
time_limit: 1m
"""


def test_an_array_outlives_a_worker_and_the_controller(deployed, eventually, tmp_path):
    """
    Both are killed while tasks run: every task has one result, its log and its output can be read, and submitting again does nothing.
    """
    batch = deployed("batch", "jobs", "m1.small", count=2, workers_max=2)
    file = tmp_path / "job.yaml"
    file.write_text(JOB)
    told = fournines("batch", "submit", str(file), "--no-wait", "--json").stdout
    job = json.loads(told)[0]["id"]

    def desk():
        return desks.find(batch.workshop, "jobs", batch.platform)

    def ended() -> set[int]:
        return desk().shelf.outcomes(job).ended

    assert eventually(lambda: len(ended()) >= 2, 120)
    inventory = batch.workshop.cloud.inventory(batch.platform, "jobs")
    worker = next(i for i in inventory.of_group("jobs", "workers") if i.owner.slot == 1)
    fournines("break", "kill", worker.name)
    assert eventually(lambda: batch.status(worker.name) != "ACTIVE", 60)
    before = len(ended())
    controller = batch.instance(batch.cluster().slot_names[0])
    fournines("break", "kill", controller)
    assert eventually(lambda: batch.status(controller) != "ACTIVE", 60)
    # What runs goes on without the controller.
    assert eventually(lambda: len(ended()) > before or len(ended()) == TASKS, 60)
    fournines("deploy", str(batch.file), "--plain")
    fournines("batch", "submit", str(file))

    shelf = desk().shelf
    results = [shelf.result(job, task) for task in range(TASKS)]
    assert [one["cause"] for one in results if one] == ["done"] * TASKS
    for task in (0, TASKS - 1):
        assert (
            f"task {task}\n"
            in fournines("batch", "logs", job, "--task", str(task)).stdout
        )
        assert shelf.outputs(job, task) == {"number": f"{task}\n".encode()}
    runs = [one for task in range(TASKS) for one in shelf.outputs(job, task)]
    assert len(runs) == TASKS
    again = json.loads(fournines("batch", "submit", str(file), "--json").stdout)
    assert again[0]["id"] == job


@dataclass
class RealRig:
    """
    Slurm in instances.
    """

    engine: Engine
    workers: tuple[str, ...]

    def pass_time(self) -> None:
        """A second."""
        time.sleep(1)


def test_a_real_slurm_keeps_the_contract(deployed):
    """
    Each law in turn on one service; what the tapes of the contract were made from is still so.
    """
    batch = deployed("batch", "jobs", "m1.small", count=2, workers_max=2)
    desk = desks.find(batch.workshop, "jobs", batch.platform)
    slots = tuple(names.slot(batch.platform, "jobs", WORKERS, n) for n in range(2))
    rig = RealRig(desk.engine, slots)
    for law in (*contract.LAWS, contract.LAST):
        law(rig)
