"""
A deployed message bus, spoken to as its applications speak: publishers that wait for confirms, and a consumer at the end.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pika

from tests.sandbox.services.bus_and_cache import Deployed

TOPOLOGY = {
    "exchanges": [{"name": "orders"}],
    "queues": [{"name": "paid"}],
    "bindings": [{"source": "orders", "destination": "paid", "routing_key": "#"}],
}


@dataclass(frozen=True, slots=True)
class Bus:
    """
    One with the exchange `orders` and the queue `paid` behind it.
    """

    deployed: Deployed

    def connect(self) -> Any:
        """
        A channel that confirms.
        """
        deployed = self.deployed
        context = ssl.create_default_context(cadata=deployed.access.ca)
        password = deployed.access.secret("user-app")
        connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                deployed.address,
                5671,
                "main",
                credentials=pika.PlainCredentials("app", password),
                heartbeat=6,
                socket_timeout=3,
                stack_timeout=5,
                blocked_connection_timeout=5,
                ssl_options=pika.SSLOptions(context, deployed.address),
            )
        )
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    def publish(self, channel: Any, word: str) -> None:
        """
        Returns when it is confirmed.
        """
        channel.basic_publish(
            "orders",
            "paid",
            word.encode(),
            pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent),
            mandatory=True,
        )

    def lost(self, confirmed: list[str]) -> list[str]:
        """
        What was confirmed and is not in the queue, which is empty afterwards.
        """
        found = set(self._consumed())
        return [word for word in confirmed if word not in found]

    def _consumed(self) -> Iterator[str]:
        channel = self.connect()
        while True:
            method, _, body = channel.basic_get("paid", auto_ack=True)
            if method is None:
                return
            yield body.decode()
