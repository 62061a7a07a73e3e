"""
A client that writes single rows and remembers which of them were acknowledged.

It is patient with nobody: a statement without an answer within seconds is given up, its row not acknowledged, and the connection made anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from dataclasses import dataclass, field

import psycopg

ANSWER_SECONDS = 4.0
CONNECT_SECONDS = 3


@dataclass(slots=True)
class Writer:
    """
    Rows 1, 2, 3 ... of a table `seq(n)`, written until `stop`. `acknowledged` are moments and numbers.
    """

    dsn: str
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """
        Make the table, and write from now on.
        """
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS seq (n bigint PRIMARY KEY)")
            connection.execute("TRUNCATE seq")
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._write()), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """
        Write no more.
        """
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * ANSWER_SECONDS)

    def writes_after(self, moment: float, seconds: float) -> bool:
        """
        Whether a row was acknowledged after a moment; waits so long for it.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.acknowledged and self.acknowledged[-1][0] > moment:
                return True
            time.sleep(0.1)
        return False

    def lost(self) -> list[int]:
        """
        Rows that were acknowledged and are not there.
        """
        told = {number for _, number in list(self.acknowledged)}
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            there = {n for (n,) in connection.execute("SELECT n FROM seq").fetchall()}
        return sorted(told - there)

    def longest_pause(self, since: float) -> float:
        """
        The longest time without an acknowledgement since a moment.
        """
        moments = [at for at, _ in list(self.acknowledged) if at >= since - 1]
        pauses = (b - a for a, b in itertools.pairwise(moments))
        return max(pauses, default=float("inf"))

    async def _write(self) -> None:
        connection: psycopg.AsyncConnection | None = None
        number = 0
        while not self._ended.is_set():
            number += 1
            try:
                if connection is None:
                    connection = await asyncio.wait_for(
                        psycopg.AsyncConnection.connect(
                            self.dsn, autocommit=True, connect_timeout=CONNECT_SECONDS
                        ),
                        2 * CONNECT_SECONDS,
                    )
                await asyncio.wait_for(
                    connection.execute("INSERT INTO seq VALUES (%s)", (number,)),
                    ANSWER_SECONDS,
                )
                self.acknowledged.append((time.time(), number))
            except (psycopg.Error, TimeoutError, OSError):
                if connection is not None:
                    with contextlib.suppress(psycopg.Error):
                        connection.pgconn.finish()
                connection = None
                await asyncio.sleep(0.1)
