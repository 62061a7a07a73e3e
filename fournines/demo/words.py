"""
What the demonstration's users do with a database, a bus and a cache: write one word, and find it again later. Words are never written twice.

Each write is a connection of its own, as an application has it after a failure: one that is kept says nothing of whether others get in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol

import pika
import pika.exceptions
import psycopg

from blueprints.postgres import objects
from blueprints.rabbitmq import topology
from fournines.model.desired import Service
from tasks.operators import ClusterRefused, ClusterSilent
from tasks.operators.access import Access
from tasks.transactions import cache, postgres, rabbitmq

WRITE_SECONDS_MAX = 3.0
"""Who has waited so long writes no more; the word is not acknowledged."""

READ_SECONDS_MAX = 60.0

FAILURES = (
    psycopg.Error,
    pika.exceptions.AMQPError,
    ClusterSilent,
    ClusterRefused,
    OSError,
)
"""What a write may end with that is not acknowledged."""

_MAKE = "CREATE TABLE IF NOT EXISTS words (word text PRIMARY KEY, at timestamptz DEFAULT now())"


class Words(Protocol):
    """
    A service's users.
    """

    def write(self, word: str) -> None:
        """
        Make a word permanent; it is acknowledged once this returns.

        Raises:
            FAILURES: It is not known whether it was written.
        """
        ...

    def found(self, words: Collection[str]) -> set[str]:
        """
        Which of these are there.
        """
        ...


class DatabaseWords:
    """
    Rows of a table, through the read-write endpoint, as the owner of the first database.
    """

    def __init__(self, access: Access, service: Service, address: str) -> None:
        self._access, self._address = access, address
        self._port = int(str(service.parameters["port"]))
        databases = objects.asked_for(service.parameters, access.logins).databases
        self._database = min(databases)
        self._user = databases[self._database].owner
        self._made = False

    def write(self, word: str) -> None:
        with self._connect(WRITE_SECONDS_MAX) as session:
            if not self._made:
                session.execute(_MAKE)
                self._made = True
            session.execute("INSERT INTO words VALUES (%s)", (word,))

    def found(self, words: Collection[str]) -> set[str]:
        with self._connect(READ_SECONDS_MAX) as session:
            rows = session.execute("SELECT word FROM words").fetchall()
        return {word for (word,) in rows} & set(words)

    def _connect(self, seconds: float) -> AbstractContextManager[postgres.Session]:
        return postgres.connect(
            self._access,
            self._address,
            self._port,
            seconds,
            login=next(iter(self._access.logins(self._user).items())),
            database=self._database,
        )


class BusWords:
    """
    Messages through an exchange into a queue, confirmed; finding consumes them.
    """

    def __init__(self, access: Access, service: Service, address: str) -> None:
        self._access, self._address = access, address
        self._port = int(str(service.parameters["port"]))
        held = topology.of(service.parameters)
        self._user = held.users[0].name
        self._binding = held.bindings[0]
        self._consumed: set[str] = set()

    def write(self, word: str) -> None:
        with self._connect(WRITE_SECONDS_MAX) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish(
                self._binding.source,
                self._binding.routing_key,
                word.encode(),
                pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent),
                mandatory=True,
            )

    def found(self, words: Collection[str]) -> set[str]:
        with self._connect(READ_SECONDS_MAX) as connection:
            channel = connection.channel()
            while True:
                method, _, body = channel.basic_get(
                    self._binding.destination, auto_ack=True
                )
                if method is None:
                    return self._consumed & set(words)
                self._consumed.add(body.decode())

    def _connect(
        self, seconds: float
    ) -> AbstractContextManager[pika.BlockingConnection]:
        return rabbitmq.connect(
            self._access,
            self._address,
            self._port,
            seconds,
            login=next(iter(self._access.logins(self._user).items())),
            vhost=self._binding.vhost,
        )


class CacheWords:
    """
    Keys, through the endpoint that follows the primary.
    """

    def __init__(self, access: Access, service: Service, address: str) -> None:
        self._access, self._address = access, address
        self._port = int(str(service.parameters["port"]))

    def write(self, word: str) -> None:
        with cache.connect(
            self._access, self._address, self._port, WRITE_SECONDS_MAX
        ) as line:
            line.say("SET", word, word)

    def found(self, words: Collection[str]) -> set[str]:
        with cache.connect(
            self._access, self._address, self._port, READ_SECONDS_MAX
        ) as line:
            return {word for word in words if line.say("GET", word) == word}


Users = Callable[[Access, Service, str], Words]

USERS: dict[str, Users] = {
    "postgres": DatabaseWords,
    "rabbitmq": BusWords,
    "cache": CacheWords,
}
"""Who uses a service of this blueprint, and how."""
