"""
A cache on the embedded cloud: its primary is killed under load, and nothing that was acknowledged is lost.
"""

from __future__ import annotations

import pytest

from blueprints.cache.lifecycle import RULES
from tests.sandbox.services import lines
from tests.sandbox.services.bus_and_cache import Writers
from tests.sandbox.services.command import fournines

pytestmark = [pytest.mark.sandbox, pytest.mark.full]


def test_a_killed_primary_is_followed_and_replaced(deployed, eventually):
    """
    Through the endpoint that follows the primary: writes go on, all acknowledged ones are found, the slot is filled again with its address, and
    nothing is left to do.
    """
    cache = deployed("cache", "kv", "m1.small")

    def connect():
        return lines.to_cache(cache)

    before = cache.view()
    addresses = {m.slot_name: m.address for m in before.members}
    with Writers(connect, lambda line, word: line.set(word, word)) as writers:
        writers.await_more(300)
        killed = cache.instance(before.leader)
        fournines("break", "kill", killed)
        writers.await_more(300)
        # A deploy goes by the cloud's word.
        assert eventually(lambda: cache.status(killed) != "ACTIVE", 60)
        fournines("deploy", str(cache.file), "--plain")
        writers.await_more(300)

    line = connect()
    lost = [w for w in writers.acknowledged if line.get(w) != w.encode()]
    after = cache.view()
    assert lost == []
    assert after.leader not in {None, before.leader}
    assert [RULES.is_settled(after, m.slot_name) for m in after.members] == [""] * 3
    assert {m.slot_name: m.address for m in after.members} == addresses
    assert after.voters == 3
    assert cache.instance(before.leader) != killed
    assert cache.planned_steps() == 0
