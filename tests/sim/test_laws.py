"""
Every law bites: a healer that is spoiled in one way is caught within a few seeds.
"""

from __future__ import annotations

import re

import pytest

from tests.sim import mutants
from tests.sim.simulation import play

SEEDS = 120
"""The rarest of these mistakes needs a stop at the wrong moment."""


@pytest.mark.parametrize(
    ("mutate", "law"),
    [
        pytest.param(mutants.no_fencing, r"but .* holds|treats it", id="fencing"),
        pytest.param(mutants.no_leases, r"but .* holds|treats it|at once", id="leases"),
        pytest.param(mutants.no_floor, r"may be thought to serve", id="min-healthy"),
        pytest.param(mutants.no_disruption_limit, r"act at once", id="disruptions"),
        pytest.param(mutants.imagination, r"bad samples", id="absent-data"),
        pytest.param(mutants.greed, r"stranger's", id="ownership"),
        pytest.param(mutants.sloth, r"is held by", id="orphans"),
        pytest.param(mutants.hoarding, r"hold one slot's data", id="volumes"),
        pytest.param(mutants.nostalgia, r"nobody asked for it", id="not-asked-for"),
        pytest.param(mutants.attachment, r"left of a service", id="destroys"),
        pytest.param(mutants.tidiness, r"deletes the data of", id="data"),
        pytest.param(mutants.thoroughness, r"over, which serves", id="fail-over"),
        pytest.param(mutants.panic, r"from a quorum", id="quorum"),
        pytest.param(mutants.deafness, r"though .* is paused", id="pauses"),
        pytest.param(mutants.forgetfulness, r"case .* is open", id="lost-incidents"),
    ],
)
def test_a_spoiled_healer_is_caught(mutate, law):
    """
    The law that this mistake breaks says so.
    """
    said = []
    for seed in range(SEEDS):
        report = play(seed, mutate)
        if report.broken and re.search(law, report.broken):
            return
        said.append(report.broken[:200])
    pytest.fail(f"{SEEDS} seeds, and only: {sorted(set(said))}")
