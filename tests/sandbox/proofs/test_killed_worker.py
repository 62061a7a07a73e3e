"""
The worker is killed with the run it performs: what was begun is ended by the next press of the button, and nothing is there twice.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fournines.local import supervision

pytestmark = [pytest.mark.sandbox, pytest.mark.full]

BEGUN_SECONDS_MAX = 120
"""A worker polls every ten seconds and loads a flow for ten more."""


def press(stage: Any, count: int) -> str:
    """Run the scaling button; returns the run's id."""
    base = f"{stage.settings.url('prefect')}/api"
    with httpx.Client(base_url=base, timeout=30, trust_env=False) as client:
        found = client.get("/deployments/name/scale-service/scale-service")
        made = client.post(
            f"/deployments/{found.raise_for_status().json()['id']}/create_flow_run",
            json={"parameters": {"service": "shop", "count": count}},
        )
    return str(made.raise_for_status().json()["id"])


def below(pid: int) -> Iterator[int]:
    """A process and all it started, the youngest first."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from below(int(child))
    yield pid


def test_worker_killed_with_its_run(stage: Any, clean: Any, tell: Any) -> None:
    """
    A kill -9 of the worker and of the flow's own process in the middle of a scaling; then the same is asked for again.
    """
    stage.await_whole()
    press(stage, 5)
    deadline = time.monotonic() + BEGUN_SECONDS_MAX
    while not stage.workshop.store.journal.unfinished():
        assert time.monotonic() < deadline, "the worker began nothing"
        time.sleep(0.05)
    time.sleep(stage.luck.uniform(0.2, 3))
    (worker,) = [
        one
        for one in supervision.states(stage.settings)
        if one.name == "prefect-worker"
    ]
    killed = list(below(worker.pid))
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    left = len(stage.workshop.store.journal.unfinished())
    tell(f"{len(killed)} processes killed, {left} plan left open")

    for count in ("5", "4"):
        done = stage.command("scale", "shop", count, "--plain")
        assert done.returncode == 0, done.stderr

    stage.await_whole()
    assert stage.settled_audit() == clean
    states = {one.name: one for one in supervision.states(stage.settings)}
    assert states["prefect-worker"].state == "RUNNING"
    assert states["prefect-worker"].pid != worker.pid
