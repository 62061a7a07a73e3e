"""
Goal 19: an array of short tasks on four workers, one of which is killed in the middle: none lost, none twice, and how near to the ideal rate.
"""

from __future__ import annotations

import json
import time

import pytest

from tasks.batch import desk as desks
from tests.bench.figures import scale
from tests.sandbox.services.bus_and_cache import deploying
from tests.sandbox.services.command import fournines
from tests.sandbox.services.conftest import _its_cloud  # noqa: F401  whose cloud commands find

pytestmark = [pytest.mark.bench, pytest.mark.sandbox]

TASKS, WORKERS = 1_000, 4
SECONDS_MAX = 1_200
LOOK_SECONDS = 2.0
"""Each look lists what the job left: more often it would be load of our own."""


def test_an_array_of_short_tasks(cloud, member, tmp_path, eventually, figures):
    """Every task has one result of a run that ended well, though a worker died under some of them."""
    count = max(40, int(TASKS * scale()))
    file = tmp_path / "job.yaml"
    file.write_text(
        f"name: short\ncommand: sleep 1; echo task $TASK\narray: {count}\ntime_limit: 1m\n"
    )
    with deploying(member, tmp_path) as deploy:
        batch = deploy("batch", "jobs", "m1.small", count=WORKERS, workers_max=WORKERS)
        shelf = desks.find(batch.workshop, "jobs", batch.platform).shelf
        begun = time.monotonic()
        told = fournines(
            "batch",
            "submit",
            str(file),
            "--platform",
            batch.platform,
            "--no-wait",
            "--json",
        ).stdout
        job = json.loads(told)[0]["id"]

        def until(wanted: int) -> None:
            while (found := len(shelf.outcomes(job).ended)) < wanted:
                assert time.monotonic() - begun < SECONDS_MAX, f"{found} ended"
                time.sleep(LOOK_SECONDS)

        until(count // 3)
        inventory = batch.workshop.cloud.inventory(batch.platform, "jobs")
        workers = inventory.of_group("jobs", "workers")
        killed = next(i.name for i in workers if i.owner.slot == 1)
        fournines("break", "kill", killed)
        assert eventually(lambda: batch.status(killed) != "ACTIVE", 60)
        fournines("deploy", str(batch.file), "--plain")
        until(count)
        outcomes = shelf.outcomes(job)
        results = [shelf.result(job, task) for task in range(count)]

    began = min(one["began"] for one in results if one)
    took = max(one["ended"] for one in results if one) - began
    lost = sum(one is None or one["cause"] != "done" for one in results)
    on = {one["node"] for one in results if one}
    what = f"{count} tasks of a second on {WORKERS} workers"
    figures.note(
        19,
        f"{what}, one killed: share of the ideal rate",
        100 * count / WORKERS / took,
        "%",
        goal=">= 85",
    )
    early = sorted(one["ended"] for one in results if one)[: count // 3]
    figures.note(
        19,
        f"{what}, before the kill: share of the ideal rate",
        100 * len(early) / WORKERS / (early[-1] - began),
        "%",
    )
    figures.note(19, f"{what}: lost", lost, "tasks", goal="0")
    figures.note(19, f"{what}: twice to completion", outcomes.twice, "tasks", goal="0")
    assert lost == outcomes.twice == 0
    assert len(on) == WORKERS
