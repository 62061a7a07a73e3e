"""
A fifth of all calls is faulty: 500 before and after the effect, time-outs after it, 409 and 429, old readings. Every healing converges all the same.
"""

from __future__ import annotations

import os
import sys

from fournines.cloud.simulated import Fault, FaultKind
from tests.sim.ordeals import KINDS, Healings
from tests.sim.simulation import Simulation

HEALINGS = int(os.environ.get("SIM_HEALINGS") or 100)
FAULTY = (
    FaultKind.FAIL_BEFORE,
    FaultKind.FAIL_AFTER,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.BUSY,
    FaultKind.STALE_READ,
)
RATIO = 0.2
CALLS_FACTOR_MAX = 2.0
EACH = 5
"""Healings in one world."""

ONCE_BROKEN = (25, 84, 97, 108, 193, 198)
"""Worlds in which healthy replacements were once called sick, because their looks were slow; or the onlooker met the faults."""


def spoil(world: Simulation) -> None:
    """
    Each kind strikes as often as the others; together a fifth of all calls.
    """
    left = 1.0
    for kind in FAULTY:
        share = RATIO / len(FAULTY)
        world.cloud.inject(Fault(kind, probability=share / left))
        left -= share


def test_healings_with_a_faulty_api():
    """
    All converge, with at most twice the calls of a sound API.
    """
    failed, calm_calls, faulty_calls, struck, healed = [], 0, 0, 0, 0
    worlds = sorted({*range(HEALINGS // EACH), *ONCE_BROKEN})
    for seed in worlds:
        kinds = [KINDS[(seed + n) % (len(KINDS) - 1)] for n in range(EACH)]
        calm = Healings(seed, healers=2).suffer(kinds)
        world = Healings(seed, healers=2)
        hurt = world.suffer(kinds, prepare=spoil)
        assert not calm.report.broken, calm.report.story()
        if hurt.report.broken:
            failed.append(hurt.report.story())
        calm_calls += calm.calls
        faulty_calls += hurt.calls
        struck += sum(call.fault is not None for call in world.cloud.calls)
        healed += sum(case.state.value == "recovered" for case in hurt.cases)
    assert not failed, "\n\n".join(failed)
    assert healed >= EACH * len(worlds)
    assert struck > faulty_calls / 10
    sys.stdout.write(f"\n{healed} healings, {faulty_calls / calm_calls:.2f} the calls")
    assert faulty_calls <= CALLS_FACTOR_MAX * calm_calls, (faulty_calls, calm_calls)
