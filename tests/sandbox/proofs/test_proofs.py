"""
Healing that can be left on, proven on the embedded cloud: processes killed at random, APIs that fail.

Counts are asserted; seconds are printed. What is marked bench is told by `make bench` alone, because together they take long.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.sandbox, pytest.mark.full]

FOURNINES = Path(sys.executable).parent / "fournines"
ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 1

Tell = Callable[[str], None]


def slot_of(instance: str) -> str:
    """The place of an instance."""
    return instance.rpartition("-g")[0]


def test_healer_killed_while_healing(stage: Any, clean: Any, tell: Tell) -> None:
    """
    A kill -9 of the healer at a random moment of each healing: every fault is healed once, and nothing is left over.
    """
    began = time.time()
    hurt = []
    for _ in range(ROUNDS):
        victim = stage.victim()
        hurt.append(slot_of(victim))
        stage.fault("kill", victim)
        delay = stage.luck.uniform(0.5, 7)
        time.sleep(delay)
        stage.kill("healer")
        took = stage.await_whole(without=victim)
        tell(
            f"{victim} killed, healer killed {delay:.1f} s later: whole after {took} s"
        )

    assert stage.settled_audit() == clean
    assert stage.lost(began, hurt) == []


@pytest.mark.bench
def test_deploy_killed(stage: Any, clean: Any, tell: Tell) -> None:
    """
    A kill -9 of a deploy at random moments: the next one ends what it began, and nothing is there twice.
    """
    for count in (5, 4):
        words = [FOURNINES, "scale", "shop", str(count), "--plain"]
        begun = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        delay = stage.luck.uniform(4, 9)
        time.sleep(delay)
        begun.send_signal(signal.SIGKILL)
        begun.wait()
        tell(f"scale to {count} killed after {delay:.1f} s")
        deadline = time.monotonic() + 150
        while (done := stage.command(*map(str, words[1:]))).returncode:
            assert time.monotonic() < deadline, done.stderr
            time.sleep(3)
        instances = [item.name for item in stage.inventory().instances]
        assert len(instances) == len({slot_of(name) for name in instances}) == count

    tell(f"whole after {stage.await_whole()} s")
    assert stage.settled_audit() == clean


@pytest.mark.bench
def test_failing_apis(stage: Any, clean: Any, breaking: Any, tell: Tell) -> None:
    """
    With one of five calls failing in every way, a death is healed and a service is scaled, once each.
    """
    victim = stage.victim()
    began = time.time()
    breaking("api", "--rate", "0.2", "--hold", "3", "--seed", "11")
    stage.fault("kill", victim)
    tell(f"{victim} killed: whole after {stage.await_whole(victim, 240)} s")
    for count in ("5", "4"):
        deadline = time.monotonic() + 240
        while (done := stage.command("scale", "shop", count, "--plain")).returncode:
            tell(f"scale to {count}: {done.stderr.strip()[-200:]}")
            assert time.monotonic() < deadline, done.stderr
            time.sleep(2)

    told = json.loads(stage.cloud.run("mend", "api", "--json").stdout)
    tell(f"{told['faults']} faults of the APIs on the way")
    stage.await_whole()

    assert told["faults"] >= 10
    assert stage.settled_audit() == clean
    assert stage.lost(began, [slot_of(victim)]) == []
