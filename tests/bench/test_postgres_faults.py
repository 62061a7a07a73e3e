"""
What a database's clients see of faults: each kind hits the primary while a writer writes. Printed, and nothing acknowledged may be lost.

`FOURNINES_FAULTS` is how many faults of the four kinds there are in all (default 4; 100 for the goal).
"""

import os
import time

import pytest

from tests.sandbox.services.command import fournines
from tests.sandbox.services.stage import database

pytestmark = [pytest.mark.bench, pytest.mark.sandbox]

KINDS = ("kill", "hang", "cut", "host-down")
HOLD_SECONDS = 15.0
AGAIN_SECONDS_MAX = 180


def settled(db):
    """Wait until every member is all it should be."""
    end = time.monotonic() + AGAIN_SECONDS_MAX
    while time.monotonic() < end:
        view = db.view()
        if len(view.members) == 3 and all(m.settled for m in view.members):
            return
        time.sleep(1)
    pytest.fail(f"not settled: {db.view()}")


def test_faults_of_four_kinds(cloud, tmp_path):
    """However the primary fails: writes go on within seconds, and every acknowledged commit is there."""
    faults = int(os.environ.get("FOURNINES_FAULTS", "4"))
    with database(tmp_path) as db:
        writer = db.writer()
        assert writer.writes_after(0, AGAIN_SECONDS_MAX)
        for number in range(faults):
            kind = KINDS[number % len(KINDS)]
            time.sleep(3)
            victim, begun = db.primary(), time.time()
            fournines("break", kind, victim)
            assert writer.writes_after(time.time() + 1, AGAIN_SECONDS_MAX)
            writer.longest_pause(begun)
            time.sleep(HOLD_SECONDS)
            fournines("mend", "all", code=None)
            db.deploy()
            settled(db)
            lost = writer.lost()
            assert lost == []
        writer.stop()
