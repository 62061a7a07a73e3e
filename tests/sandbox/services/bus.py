"""
A deployed message bus, spoken to as its applications speak: publishers that wait for confirms, and a consumer at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pika

from tests.sandbox.services import lines
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
        return lines.to_bus(self.deployed)

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
