"""
Goal 18: what publishers see when the node that leads most queues dies, and whether anything that was confirmed is lost.

`FOURNINES_FAULTS` is how many there are in all (default: 20 times FOURNINES_BENCH_SCALE).
"""

import os
import statistics
import time

import pytest

from blueprints.rabbitmq.lifecycle import RULES
from tests.bench.figures import scale
from tests.sandbox.services.bus import TOPOLOGY, Bus
from tests.sandbox.services.bus_and_cache import Writers, deploying
from tests.sandbox.services.command import fournines
from tests.sandbox.services.conftest import _its_cloud  # noqa: F401  whose cloud commands find

pytestmark = [pytest.mark.bench, pytest.mark.sandbox]

FAULTS = 20
AGAIN_SECONDS_MAX = 120


def test_killed_nodes(cloud, member, tmp_path, eventually, figures):
    """Publishing goes on within seconds, and all that was confirmed is consumed."""
    faults = int(os.environ.get("FOURNINES_FAULTS") or max(1, FAULTS * scale()))
    pauses, confirmed, lost = [], 0, 0
    with deploying(member, tmp_path) as deploy:
        bus = deploy("rabbitmq", "bus", "m1.medium", **TOPOLOGY)
        spoken = Bus(bus)
        for _ in range(faults):
            with Writers(spoken.connect, spoken.publish) as writers:
                writers.await_more(100)
                killed = bus.instance(bus.view().leader)
                begun = time.monotonic()
                fournines("break", "kill", killed)
                writers.await_more(100, AGAIN_SECONDS_MAX)
                assert eventually(lambda name=killed: bus.status(name) != "ACTIVE", 60)
                fournines("deploy", str(bus.file), "--plain")
                writers.await_more(100)
            pauses.append(writers.longest_pause(begun))
            confirmed += len(writers.acknowledged)
            lost += len(spoken.lost(writers.acknowledged))
            view = bus.view()
            assert not any(RULES.is_settled(view, m.slot_name) for m in view.members)
    what = f"publishing again after a node's death, {faults} times"
    figures.note(18, f"{what}, median", statistics.median(pauses), "s", goal="<= 10")
    figures.note(18, f"{what}, worst", max(pauses), "s", goal="<= 10")
    figures.note(
        18, f"confirmed messages lost of {confirmed}", lost, "messages", goal="0"
    )
    assert lost == 0
