"""
Goal 17: what a database's clients see of faults. Each kind hits the primary while a writer writes, and every acknowledged commit is looked for.

`FOURNINES_FAULTS` is how many there are in all (default: 100 times FOURNINES_BENCH_SCALE).
"""

import os
import statistics
import time

import pytest

from tests.bench.figures import scale
from tests.sandbox.services.command import fournines
from tests.sandbox.services.conftest import _its_cloud  # noqa: F401  whose cloud commands find
from tests.sandbox.services.stage import database

pytestmark = [pytest.mark.bench, pytest.mark.sandbox]

KINDS = ("kill", "hang", "cut", "host-down")
FAULTS = 100
HOLD_SECONDS = 12.0
"""Longer than a primary's key lives: whoever hangs or is cut off meets another one when it comes back."""

AGAIN_SECONDS_MAX = 180
OTHERS = "RDS cluster < 35 s, CNPG 40-80 s, Trove none"


def settled(db):
    """Wait until every member is all it should be."""
    end = time.monotonic() + AGAIN_SECONDS_MAX
    while time.monotonic() < end:
        view = db.view()
        if len(view.members) == 3 and all(m.settled for m in view.members):
            return
        time.sleep(1)
    pytest.fail(f"not settled: {db.view()}")


def test_faults_of_four_kinds(cloud, tmp_path, figures):
    """However the primary fails: writes go on within seconds, and every acknowledged commit is there."""
    faults = int(os.environ.get("FOURNINES_FAULTS") or max(4, FAULTS * scale()))
    pauses: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with database(tmp_path) as db:
        writer = db.writer()
        assert writer.writes_after(0, AGAIN_SECONDS_MAX)
        try:
            for number in range(faults):
                kind = KINDS[number % len(KINDS)]
                time.sleep(3)
                victim, begun = db.primary(), time.time()
                fournines("break", kind, victim)
                assert writer.writes_after(time.time() + 1, AGAIN_SECONDS_MAX)
                pauses[kind].append(writer.longest_pause(begun))
                time.sleep(HOLD_SECONDS)
                fournines("mend", "all", code=None)
                db.deploy()
                settled(db)
                assert writer.lost() == []
        finally:
            writer.stop()
            for kind, seconds in pauses.items():
                if seconds:
                    what = f"writes again after {kind} of the primary, {len(seconds)}"
                    middle, worst = statistics.median(seconds), max(seconds)
                    figures.note(
                        17,
                        f"{what} times, median",
                        middle,
                        "s",
                        goal="<= 10",
                        others=OTHERS,
                    )
                    figures.note(17, f"{what} times, worst", worst, "s", goal="<= 10")
        figures.note(
            17,
            f"acknowledged commits lost of {len(writer.acknowledged)} in {faults} faults",
            len(writer.lost()),
            "commits",
            goal="0",
        )


def test_switchover(cloud, tmp_path, figures):
    """A primary that hands over because somebody asked costs a pause and no commit."""
    with database(tmp_path) as db:
        writer = db.writer()
        assert writer.writes_after(0, AGAIN_SECONDS_MAX)
        pauses = []
        for _ in range(5):
            time.sleep(3)
            before, begun = db.primary(), time.time()
            fournines("switchover", "db", "--platform", "pgproof", "--plain")
            assert writer.writes_after(time.time() + 1, AGAIN_SECONDS_MAX)
            assert db.primary() != before
            settled(db)
            pauses.append(writer.longest_pause(begun))
        writer.stop()
        assert writer.lost() == []
    figures.note(
        17, "switchover, median of 5", statistics.median(pauses), "s", goal="<= 3"
    )
    figures.note(17, "switchover, worst of 5", max(pauses), "s", goal="<= 3")
