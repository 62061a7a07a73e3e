"""
One transaction through a cache's endpoint: set a value, and get it back.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from fournines.clock import Clock
from fournines.model.desired import Service
from fournines.model.inventory import Inventory
from fournines.model.transaction import Transaction
from tasks.operators import ClusterRefused, ClusterSilent
from tasks.operators.access import Access
from tasks.operators.redis_line import Line, RedisLine
from tasks.transactions.attempt import attempt

KEY = "fournines:transaction"
KEPT_SECONDS = "60"
USER = "default"

Connect = Callable[[Access, str, int, float], Line]


def connect(access: Access, address: str, port: int, timeout_seconds: float) -> Line:
    """
    A line as an application has it.
    """
    return RedisLine(
        address,
        port,
        user=USER,
        password=access.secret("password"),
        ca=access.ca,
        timeout_seconds=timeout_seconds,
    )


class CacheTransactor:
    """
    `Transactor` for the `cache` template. A connection of its own for each try: one that is kept says nothing of whether others get in.
    """

    def __init__(
        self,
        access: Callable[[Service], Access],
        clock: Clock,
        connect: Connect = connect,
    ) -> None:
        self._access = access
        self._clock = clock
        self._connect = connect

    def perform(
        self, service: Service, inventory: Inventory, *, timeout_seconds: float
    ) -> Transaction:
        def try_at(address: str) -> str:
            return self._tried(service, address, timeout_seconds)

        return attempt(service, inventory, self._clock, try_at)

    def _tried(self, service: Service, address: str, timeout_seconds: float) -> str:
        """
        What went wrong; empty when nothing did.
        """
        port = int(str(service.parameters["port"]))
        word = secrets.token_hex(8)
        try:
            with self._connect(
                self._access(service), address, port, timeout_seconds
            ) as line:
                line.say("SET", KEY, word, "EX", KEPT_SECONDS)
                found = line.say("GET", KEY)
        except (ClusterSilent, ClusterRefused) as failed:
            return failed.detail
        return "" if found == word else "another value came back"
