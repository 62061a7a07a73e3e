"""
One database: short read and write transactions, and the one place where SQLAlchemy's errors become ours.

SQLite runs in WAL mode with `synchronous=NORMAL`: a commit survives the death of any process, and a power cut may lose only the last
moments' commits, never corrupt. That is enough: intents lost with the machine are found again by name in the cloud, alerts are sent again by
Alertmanager, leases die with their holder. In return a commit costs no fsync, which keeps the inbox in front of the webhook's answer.
PostgreSQL keeps its own durability.

Writers of one process queue at a lock instead of at SQLite's busy handler, which sleeps up to 100 ms between tries.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from fournines.concealment import concealed
from fournines.store.protocol import StoreError

BUSY_TIMEOUT_MS = 10_000
"""Another process writes for milliseconds; ten seconds means something is stuck, and says so."""

POOL_SIZE = 20
"""Parallel steps (16), the lease keeper, and the healer's threads each hold a connection for milliseconds."""

_WRITES = "fournines_writes"


class Database:
    """
    An engine with read and write transactions.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._shared = isinstance(engine.pool, StaticPool)
        self._writer = RLock()

    @contextmanager
    def reading(self, attempted: str) -> Iterator[Connection]:
        """
        A read transaction. `attempted` says in an error what was being read.
        """
        if self._shared:
            with self.writing(attempted) as connection:
                yield connection
            return
        with _translated(attempted), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, attempted: str) -> Iterator[Connection]:
        """
        A write transaction, committed at the end, rolled back on any error.
        """
        if not self.is_sqlite:
            with _translated(attempted), self.engine.begin() as connection:
                yield connection
            return
        writer = self.engine.execution_options(**{_WRITES: True})
        with self._writer, _translated(attempted), writer.begin() as connection:
            yield connection

    def insert(self, table: Table) -> Any:
        """
        An INSERT that knows ON CONFLICT, which SQLite and PostgreSQL share.
        """
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)


def connect(url: str) -> Database:
    """
    The database at a SQLAlchemy URL; nothing is opened yet.

    Raises:
        StoreError: The URL is not one we can use, or its directory cannot be made.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            f"the store's URL is not understood: {concealed(str(error))}. Use sqlite:///PATH or "
            "postgresql+psycopg://USER@HOST/NAME in FOURNINES_DATABASE_URL"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return Database(_sqlite_engine(url, parsed.database))
    if backend == "postgresql":
        return Database(
            create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_size=POOL_SIZE,
                pool_pre_ping=True,
            )
        )
    raise StoreError(
        f"the store cannot live on {backend}. Use sqlite:///PATH or "
        "postgresql+psycopg://USER@HOST/NAME in FOURNINES_DATABASE_URL"
    )


def _sqlite_engine(url: str, path: str | None) -> Engine:
    if path in {None, "", ":memory:"}:
        engine = create_engine(
            url, poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        assert path is not None
        _make_directory(Path(path).parent)
        _set_write_ahead(Path(path))
        engine = create_engine(
            url, pool_size=POOL_SIZE, connect_args={"check_same_thread": False}
        )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"making the store's directory {directory}: {error.strerror}. "
            "Choose another by FOURNINES_STATE_DIR"
        ) from error


def _set_write_ahead(path: Path) -> None:
    """
    Give a database file its write-ahead log, once and for all who open it later.

    SQLite does not wait when two processes change the journal mode at once, so a lock beside the file makes them.
    """
    try:
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with closing(
                sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)
            ) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"opening the store {path}: {error}. "
            "Is its directory writable, and the file a database of ours?"
        ) from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # Transactions are ours: the driver's own habit of beginning late would let two writers deadlock.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: upgrading a read lock later fails instead of waiting.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated(attempted: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        reason = str(cause).strip().splitlines()[0] if str(cause).strip() else "?"
        raise StoreError(
            f"{attempted} in the store: {concealed(reason)}. "
            "Is the database reachable and its directory writable?"
        ) from error
