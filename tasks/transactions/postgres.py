"""
One transaction through a database's read-write endpoint: write a row in a table of the platform's own, commit, and read it back. Every ten seconds it
leaves a mark as well, by which restores are proved.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import psycopg

from blueprints.postgres.objects import OURS
from fournines.clock import Clock
from fournines.model.desired import Service
from fournines.model.inventory import Inventory
from fournines.model.transaction import Transaction
from tasks.operators.access import Access
from tasks.transactions.attempt import attempt

_TABLE = "CREATE TABLE IF NOT EXISTS tried (id int PRIMARY KEY, word text NOT NULL)"
_WRITE = "INSERT INTO tried VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET word = excluded.word"
_READ = "SELECT word FROM tried WHERE id = 1"
_SAID_MAX = 200

MARKS_SECONDS = 10
MARKS_MAX = 350_000
"""Forty days of them, a few MB: no backup that is kept by default is older."""

_MARKS = "CREATE TABLE IF NOT EXISTS marks (number bigint PRIMARY KEY, at timestamptz NOT NULL)"
_MARK = (
    "WITH last AS (SELECT coalesce(max(number), 0) AS number, coalesce(max(at), '-infinity') AS at FROM marks),"
    " old AS (DELETE FROM marks WHERE number < (SELECT number FROM last) - %s)"
    " INSERT INTO marks SELECT number + 1, clock_timestamp() FROM last"
    " WHERE at <= clock_timestamp() - make_interval(secs => %s) ON CONFLICT DO NOTHING"
)
"""By these a restore is known to be whole: numbered without a gap, whoever else writes them."""

CONNECT_SECONDS = 2
"""The least that libpq knows."""


class Session(Protocol):
    """
    What is needed of a connection that commits each statement.
    """

    def execute(self, query: Any, params: Any = None, /) -> Any:
        """
        Send one statement.
        """
        ...


Connect = Callable[[Access, str, int, float], AbstractContextManager[Session]]


@contextmanager
def connect(
    access: Access,
    address: str,
    port: int,
    timeout_seconds: float,
    *,
    login: tuple[str, str] | None = None,
    database: str = OURS,
) -> Iterator[Session]:
    """
    A connection as an application has it: certificates verified, through the load balancer and the pooler. It is cut when time is up: of a primary
    that hangs no answer comes, and the load balancer lets go of nobody. `login`: name and password; None: the platform's own.
    """
    user, password = login or (OURS, access.secret(f"user-{OURS}"))
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(access.ca)
        file.flush()
        connection = psycopg.connect(
            host=address,
            port=port,
            user=user,
            password=password,
            dbname=database,
            sslmode="verify-full",
            sslrootcert=file.name,
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
        )
    line = socket.socket(fileno=os.dup(connection.pgconn.socket))
    timer = threading.Timer(timeout_seconds, _cut, [line])
    timer.daemon = True
    timer.start()
    try:
        with connection:
            yield connection
    finally:
        timer.cancel()
        line.close()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


class PostgresTransactor:
    """
    `Transactor` for the `postgres` template. A connection of its own for each try: one that is kept says nothing of whether others get in.
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
        access = self._access(service)
        try:
            with self._connect(access, address, port, timeout_seconds) as session:
                return _tried(session, word)
        except psycopg.Error as failed:
            return " ".join(str(failed).split())[:_SAID_MAX] or type(failed).__name__


def _tried(session: Session, word: str) -> str:
    try:
        session.execute(_WRITE, (word,))
    except psycopg.errors.UndefinedTable:
        session.execute(_TABLE)
        session.execute(_WRITE, (word,))
    found = session.execute(_READ).fetchone()
    if found != (word,):
        return "another value came back"
    _leave_mark(session)
    return ""


def _leave_mark(session: Session) -> None:
    try:
        session.execute(_MARK, (MARKS_MAX, MARKS_SECONDS))
    except psycopg.errors.UndefinedTable:
        session.execute(_MARKS)
        session.execute(_MARK, (MARKS_MAX, MARKS_SECONDS))
