"""
Goals 13 to 15 as counts: seeds of the simulator with everything going wrong at once, all members down, and an image that never serves.
"""

import logging
import sys

import pytest
import structlog

from fournines.cloud.simulated import Behaviour
from tests.bench.figures import percentile, scale
from tests.sim.tally import play_all
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
    tally = play_all(range(seeds))
    sys.stdout.write("\n" + "\n".join(tally.lines()) + "\n")
    incidents = tally.struck.total()
    what = f"{seeds} seeds, {incidents} incidents, {tally.cases} cases"
    figures.note(
        15,
        f"{what}: seeds with a broken law",
        len(tally.broken),
        "",
        goal="0 of 10,000",
    )
    figures.note(
        15,
        f"takeover p99 of {len(tally.takeovers)} (virtual)",
        percentile(tally.takeovers, 99),
        "s",
        goal="<= 5",
        others="Patroni ttl 30",
    )
    figures.note(
        15,
        "things that went wrong and were mended or survived, on one core",
        tally.incidents_a_minute,
        "/min",
        goal=">= 10,000",
    )
    figures.note(15, "simulated cases closed", tally.cases / tally.seconds * 60, "/min")
    for kind, number in sorted(tally.struck.items()):
        figures.note("13-15", f"survived in these seeds: {kind}", number, "")

    assert not tally.broken, "\n\n".join(tally.broken.values())


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
