"""
A message bus on the embedded cloud: the node that leads most queues is killed under load, and nothing that was confirmed is lost.
"""

from __future__ import annotations

import ssl

import pika
import pytest

from blueprints.rabbitmq.lifecycle import RULES
from tests.sandbox.services.bus_and_cache import Writers
from tests.sandbox.services.command import fournines

# With the benches until a deploy beside other work ends in time each time.
pytestmark = [pytest.mark.sandbox, pytest.mark.bench]

TOPOLOGY = {
    "exchanges": [{"name": "orders"}],
    "queues": [{"name": "paid"}],
    "bindings": [{"source": "orders", "destination": "paid", "routing_key": "#"}],
}


def test_a_killed_node_is_replaced(deployed, eventually):
    """
    What is declared is there once and stays; publishers go on, all that was confirmed is consumed, the queue has its three replicas again, and
    nothing is left to do.
    """
    bus = deployed("rabbitmq", "bus", "m1.medium", **TOPOLOGY)
    bus.operator.apply(bus.cluster())
    assert bus.operator.apply(bus.cluster()) == ()

    def connect():
        context = ssl.create_default_context(cadata=bus.access.ca)
        connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                bus.address,
                5671,
                "main",
                credentials=pika.PlainCredentials("app", bus.access.secret("user-app")),
                heartbeat=6,
                socket_timeout=3,
                stack_timeout=5,
                blocked_connection_timeout=5,
                ssl_options=pika.SSLOptions(context, bus.address),
            )
        )
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    def publish(channel, word):
        channel.basic_publish(
            "orders",
            "paid",
            word.encode(),
            pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent),
            mandatory=True,
        )

    leader = bus.view().leader
    assert leader is not None
    with Writers(connect, publish) as writers:
        writers.await_more(300)
        killed = bus.instance(leader)
        fournines("break", "kill", killed)
        writers.await_more(300)
        # A deploy goes by the cloud's word; publishers go on sooner than the cloud knows of the death.
        assert eventually(lambda: bus.status(killed) != "ACTIVE", 60)
        fournines("deploy", str(bus.file), "--plain")
        writers.await_more(300)

    found = set(_consumed(connect()))
    view = bus.view()
    assert [w for w in writers.acknowledged if w not in found] == []
    assert [RULES.is_settled(view, m.slot_name) for m in view.members] == [""] * 3
    assert bus.instance(leader) != killed
    assert bus.planned_steps() == 0


def _consumed(channel):
    while True:
        method, _, body = channel.basic_get("paid", auto_ack=True)
        if method is None:
            return
        yield body.decode()
