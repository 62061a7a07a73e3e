"""
A message bus on the embedded cloud: the node that leads most queues is killed under load, and nothing that was confirmed is lost.
"""

from __future__ import annotations

import pytest

from blueprints.rabbitmq.lifecycle import RULES
from tests.sandbox.services.bus import TOPOLOGY, Bus
from tests.sandbox.services.bus_and_cache import Writers
from tests.sandbox.services.command import fournines

pytestmark = pytest.mark.sandbox


def unsettled(bus):
    """What members lack; empty strings when they are whole."""
    view = bus.view()
    return [RULES.is_settled(view, member.slot_name) for member in view.members]


@pytest.mark.full
def test_a_killed_node_is_replaced(deployed, eventually):
    """
    What is declared is there once and stays; publishers go on, all that was confirmed is consumed, the queue has its three replicas again, and
    nothing is left to do.
    """
    bus = deployed("rabbitmq", "bus", "m1.medium", **TOPOLOGY)
    bus.operator.apply(bus.cluster())
    assert bus.operator.apply(bus.cluster()) == ()
    spoken = Bus(bus)

    leader = bus.view().leader
    assert leader is not None
    with Writers(spoken.connect, spoken.publish) as writers:
        writers.await_more(300)
        killed = bus.instance(leader)
        fournines("break", "kill", killed)
        writers.await_more(300)
        # A deploy goes by the cloud's word; publishers go on sooner than the cloud knows of the death.
        assert eventually(lambda: bus.status(killed) != "ACTIVE", 60)
        fournines("deploy", str(bus.file), "--plain")
        writers.await_more(300)

    assert spoken.lost(writers.acknowledged) == []
    assert unsettled(bus) == [""] * 3
    assert bus.instance(leader) != killed
    assert bus.planned_steps() == 0


@pytest.mark.bench
def test_nodes_come_and_go(deployed):
    """
    Three become five and three again while publishers publish: each node is whole before the next comes, and forgotten once it is gone.
    """
    bus = deployed("rabbitmq", "bus", "m1.medium", **TOPOLOGY)
    spoken = Bus(bus)
    with Writers(spoken.connect, spoken.publish) as writers:
        writers.await_more(100)
        fournines("scale", "bus", "5", "--platform", bus.platform, "--plain")
        assert unsettled(bus) == [""] * 5
        writers.await_more(100)
        fournines("scale", "bus", "3", "--platform", bus.platform, "--plain")
        writers.await_more(100)

    assert spoken.lost(writers.acknowledged) == []
    assert unsettled(bus) == [""] * 3
    assert bus.view().voters == 3
    assert bus.planned_steps() == 0
