"""
A healer dies at every call and commit of a healing, of every kind of fault; the other one takes over, and nothing is doubled, orphaned, lost or left out.

`SIM_STRIDE=1` plays every moment in five seeds, which takes long; the plain tests play every 25th.
"""

from __future__ import annotations

import os

import pytest

from tests.sim.ordeals import KINDS, Healings
from tests.sim.rungs import COUNT, RUNGS, Remedies
from tests.sim.simulation import Report

STRIDE = int(os.environ.get("SIM_STRIDE") or 25)
"""Every so manieth moment, each seed another one."""

SEEDS = 5
TAKEOVER_SECONDS_MAX = 5.0


@pytest.mark.parametrize("kind", KINDS)
def test_crashes(kind):
    """
    Wherever the healer dies, the case is closed, the slot has one instance that serves, the plan is empty, and laws held on the way.
    """
    failed, deaths, takeovers = [], 0, []
    for seed in range(SEEDS):
        calm = Healings(seed, healers=2).suffer([kind])
        assert not calm.report.broken, calm.report.story()
        for doom in range(seed * STRIDE // SEEDS, calm.effects, STRIDE):
            hurt = Healings(seed, healers=2).suffer([kind], doom=doom)
            takeovers += hurt.report.takeovers
            deaths += any(line.endswith(" dies") for line in hurt.report.trace)
            if hurt.report.broken:
                failed.append(f"seed {seed}, moment {doom}: {hurt.report.broken}")
    assert not failed, "\n".join(failed)
    assert deaths >= 5
    # Virtual seconds: counted, not measured.
    assert all(seconds <= TAKEOVER_SECONDS_MAX for seconds in takeovers)


@pytest.mark.parametrize("kind", RUNGS)
def test_crashes_of_other_rungs(kind):
    """
    The same for shifting a zone, scaling out, rolling back and failing over: done once, by the rung that helps, wherever the healer dies.
    """
    failed, deaths = [], 0
    stride = 2 * STRIDE if STRIDE > 1 else 1
    for seed in range(SEEDS):
        world = Remedies(seed, healers=2)
        calm = world.suffer([kind])
        assert not calm.report.broken, calm.report.story()
        assert RUNGS[kind] in world.taken(), world.taken()
        for doom in range(seed * stride // SEEDS, calm.effects, stride):
            hurt = Remedies(seed, healers=2).suffer([kind], doom=doom)
            deaths += any(line.endswith(" dies") for line in hurt.report.trace)
            broken = hurt.report.broken or _told_twice(hurt.report)
            if broken:
                failed.append(f"seed {seed}, moment {doom}: {broken}")
    assert not failed, "\n".join(failed)
    assert deaths >= 5


def _told_twice(report: Report) -> str:
    """
    A failover costs users whom it does not help: however often a healer dies, it is asked for once.
    """
    asked = report.did["failover_load_balancer"]
    return f"failed over {asked} times" if asked > 1 else ""


def test_a_bad_release_is_one_story():
    """
    While one case rolls a release back, its members' own cases wait for it: nobody is called, and each ends with its member well.
    """
    for seed in range(SEEDS):
        ordeal = Remedies(seed, healers=2).suffer(["release"])

        assert not ordeal.report.broken, ordeal.report.story()
        assert len(ordeal.cases) == COUNT
        assert {case.state.value for case in ordeal.cases} == {"recovered"}
        (first,) = (case for case in ordeal.cases if case.leader is None)
        assert {case.leader for case in ordeal.cases} == {None, first.id}
