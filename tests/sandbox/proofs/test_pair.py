"""
Two healers as an active pair on one PostgreSQL store: one is killed in the middle of a healing, the other ends it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fournines.local import supervision

pytestmark = [pytest.mark.sandbox, pytest.mark.full]

ROOT = Path(__file__).resolve().parents[3]
FOURNINES = Path(sys.executable).parent / "fournines"
ACTING_SECONDS_MAX = 60

Tell = Callable[[str], None]


@pytest.fixture
def second(stage: Any, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """
    Another healer on the same store and cloud, with a door of its own.
    """
    settings = stage.settings
    environment = {
        **os.environ,
        "FOURNINES_STATE_DIR": str(tmp_path),
        "FOURNINES_SLOT": str((settings.resolved_slot + 1) % 50),
        "FOURNINES_CLOUDS_FILE": str(stage.cloud.clouds_file),
        "FOURNINES_PROMETHEUS_URL": settings.url("prometheus"),
        "FOURNINES_ALERTMANAGER_URL": settings.url("alertmanager"),
        "FOURNINES_PREFECT_URL": settings.url("prefect"),
        "FOURNINES_WEBHOOK_TOKEN": "the-second-door",
    }
    with (tmp_path / "healer.log").open("wb") as log:
        process = subprocess.Popen(
            [FOURNINES, "healer"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    deadline = time.monotonic() + ACTING_SECONDS_MAX * stage.patience
    while b"healer_began" not in (tmp_path / "healer.log").read_bytes():
        assert process.poll() is None, (tmp_path / "healer.log").read_text()[-2000:]
        assert time.monotonic() < deadline, "the second healer does not begin"
        time.sleep(0.2)
    yield process
    process.kill()
    process.wait()


def test_the_other_adopts(
    stage: Any, clean: Any, second: subprocess.Popen[bytes], tell: Tell
) -> None:
    """
    Whoever has the case in hand is killed while its plan is under way and stays dead: the other ends it, once.
    """
    began = time.time()
    victim = stage.victim()
    stage.fault("kill", victim)
    case = acting(stage, began)
    holder = stage.workshop.store.leases.current(f"case/{case.id}")
    firsts = {
        one.pid for one in supervision.states(stage.settings) if one.name == "healer"
    }
    tell(f"{case.id} is in the hands of {holder.holder if holder else 'nobody'}")
    if holder and f" process {second.pid}/" in holder.holder:
        second.send_signal(signal.SIGKILL)
    else:
        for pid in firsts:
            os.kill(pid, signal.SIGKILL)
        supervision.halt(stage.settings, "healer")
    killed = time.time()

    took = stage.await_whole(without=victim)
    (ended,) = [one for one in stage.cases(began) if one.id == case.id]
    adopted = [item.at for item in ended.events if item.event == "adopted"]
    tell(
        f"adopted {adopted[0].timestamp() - killed:.1f} s after the kill, whole after {took} s"
        if adopted
        else f"begun anew, whole after {took} s"
    )
    supervision.resume(stage.settings, "healer")

    assert ended.state.value == "recovered"
    assert stage.settled_audit() == clean


def acting(stage: Any, since: float) -> Any:
    """The case once its plan is under way."""
    deadline = time.monotonic() + ACTING_SECONDS_MAX * stage.patience
    while time.monotonic() < deadline:
        for case in stage.cases(since):
            if case.plan_id and not case.state.ended:
                return case
        time.sleep(0.1)
    raise AssertionError(stage.say())
