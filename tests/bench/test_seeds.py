"""
Goals 13 to 15 as counts: seeds of the simulator with everything going wrong at once, all members down, and an image that never serves.
"""

import logging
import time
from collections import Counter

import pytest
import structlog

from fournines.cloud.simulated import Behaviour
from tests.bench.figures import percentile, scale
from tests.sim.simulation import play
from tests.story.clinic import Clinic

SEEDS = 1_000

pytestmark = pytest.mark.bench


@pytest.fixture(autouse=True)
def quiet():
    """
    Thousands of cases are told by their counts.
    """
    futures = logging.getLogger("concurrent.futures")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    futures.setLevel(logging.CRITICAL + 1)
    yield
    futures.setLevel(logging.NOTSET)
    structlog.reset_defaults()


def test_seeds(figures):
    """
    Kills, stops, clock steps, lost and doubled messages, faults of the API, blindness: no law is broken.
    """
    seeds = max(10, round(SEEDS * scale()))
    began = time.process_time()
    reports = [play(seed) for seed in range(seeds)]
    took = time.process_time() - began
    cases = sum(report.cases for report in reports)
    struck = sum((report.struck for report in reports), Counter())
    takeovers = [one for report in reports for one in report.takeovers]
    broken = [report.seed for report in reports if report.broken]
    what = f"{seeds} seeds, {struck.total()} faults, {cases} cases"
    figures.note(
        15, f"{what}: seeds with a broken law", len(broken), "", goal="0 of 10,000"
    )
    figures.note(
        15,
        f"takeover p99 of {len(takeovers)} (virtual)",
        percentile(takeovers, 99),
        "s",
        goal="<= 5",
        others="Patroni ttl 30",
    )
    figures.note(15, "simulated incidents", cases / took * 60, "/min", goal=">= 10,000")
    for kind, number in sorted(struck.items()):
        figures.note("13-15", f"survived in these seeds: {kind}", number, "")

    assert broken == []


def test_all_down(figures, tmp_path):
    """
    All members hang at once: nothing is made or deleted, and a person is called.
    """
    clinic = Clinic(tmp_path)
    names = [f"demo-shop-web-{slot}-g1" for slot in range(4)]
    for name in names:
        clinic.cloud.break_instance(name, Behaviour.HANG)
    for name in names:
        clinic.alert(name)
    cases = clinic.heal()
    states = {case.state.value for case in cases}
    changes = len(clinic.changes())
    figures.note(13, "all down: destructive calls", changes, "", goal="0")

    assert changes == 0
    assert "paged" in states


def test_bad_image(figures, tmp_path):
    """
    An image that never serves is tried so often and no more.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_image("debian-12")
    clinic.cloud.break_instance("demo-shop-web-1-g1", Behaviour.KILL)
    clinic.alert("demo-shop-web-1-g1")
    clinic.heal()
    made = clinic.changes().count("ensure_instance")
    figures.note(13, "bad image: instances made", made, "", goal="<= 2")

    assert made <= 2
