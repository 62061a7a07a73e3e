"""
Applications of a database, a bus and a cache, one face for all: they write until told to stop, and know afterwards what is missing of what was acknowledged.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pika
import redis

from tests.sandbox.services import lines
from tests.sandbox.services.bus_and_cache import Deployed, Writers
from tests.sandbox.services.writer import Writer

QUEUE = "paid"
TOPOLOGY = {"queues": [{"name": QUEUE}]}
REPLICA_WAIT_MS = 1_000


class Application(Protocol):
    """
    Whoever writes.
    """

    def await_more(self, count: int) -> None:
        """Wait until so many more were acknowledged."""

    def acknowledged(self) -> int:
        """How many were."""

    def lost(self) -> list[Any]:
        """Which of them are not there."""

    def longest_pause(self, since: float) -> float:
        """The longest time without an acknowledgement since a moment."""


@dataclass
class Many:
    """
    Several threads over one client of a bus or a cache.
    """

    connect: Callable[[], Any]
    write: Callable[[Any, str], None]
    missing: Callable[[list[str]], list[str]]
    moments: list[float] = field(default_factory=list)
    writers: Writers = field(init=False)

    def __post_init__(self) -> None:
        self.writers = Writers(self.connect, self._write)

    def _write(self, line: Any, word: str) -> None:
        self.write(line, word)
        self.moments.append(time.time())

    def await_more(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        self.writers.await_more(count)

    def acknowledged(self) -> int:
        """How many were."""
        return len(self.writers.acknowledged)

    def lost(self) -> list[str]:
        """Which of them are not there."""
        return self.missing(self.writers.acknowledged)

    def longest_pause(self, since: float) -> float:
        """The longest time without an acknowledgement since a moment."""
        moments = sorted(at for at in self.moments if at >= since - 1)
        return max((b - a for a, b in itertools.pairwise(moments)), default=0.0)


@dataclass
class One:
    """
    One writer of a database's rows.
    """

    writer: Writer

    def await_more(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        wanted, end = self.acknowledged() + count, time.monotonic() + 120
        while self.acknowledged() < wanted:
            assert time.monotonic() < end, "nothing is acknowledged"
            time.sleep(0.1)

    def acknowledged(self) -> int:
        """How many were."""
        return len(self.writer.acknowledged)

    def lost(self) -> list[int]:
        """Which of them are not there."""
        return self.writer.lost()

    def longest_pause(self, since: float) -> float:
        """The longest time without an acknowledgement since a moment."""
        return self.writer.longest_pause(since)


@contextmanager
def application(service: Deployed, folder: Path) -> Iterator[Application]:
    """
    The application of a service, writing inside the block.
    """
    if service.service.blueprint == "postgres":
        writer = Writer(_dsn(service, folder))
        writer.begin()
        try:
            yield One(writer)
        finally:
            writer.stop()
        return
    many = _of_cache(service) if service.service.blueprint == "cache" else _bus(service)
    with many.writers:
        yield many


def _dsn(service: Deployed, folder: Path) -> str:
    ca = folder / "ca.pem"
    ca.write_text(service.access.ca)
    login, password = next(iter(service.access.logins("app").items()))
    return (
        f"host={service.address} port=5432 user={login} dbname=app sslmode=verify-full "
        f"password={password} sslrootcert={ca} connect_timeout=3"
    )


def _of_cache(service: Deployed) -> Many:
    def connect() -> redis.Redis:
        return lines.to_cache(service)

    def write(line: redis.Redis, word: str) -> None:
        with line.pipeline(transaction=False) as both:
            # On one connection: what a replica has is asked of the connection that wrote.
            both.set(word, word)
            both.wait(1, REPLICA_WAIT_MS)
            _, replicas = both.execute()
        assert replicas, "no replica has it: nothing was promised"

    def missing(words: list[str]) -> list[str]:
        line = connect()
        return [word for word in words if line.get(word) != word.encode()]

    return Many(connect, write, missing)


def _bus(service: Deployed) -> Many:
    def connect() -> Any:
        return lines.to_bus(service)

    def write(channel: Any, word: str) -> None:
        properties = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)
        channel.basic_publish("", QUEUE, word.encode(), properties, mandatory=True)

    def missing(words: list[str]) -> list[str]:
        channel, found = connect(), set()
        for method, _, body in channel.consume(QUEUE, inactivity_timeout=5):
            if method is None:
                break
            channel.basic_ack(method.delivery_tag)
            found.add(body.decode())
        return [word for word in words if word not in found]

    return Many(connect, write, missing)
