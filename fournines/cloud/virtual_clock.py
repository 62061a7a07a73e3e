"""
A clock that moves only when told: sleeping is moving it.

Threads share it. Two that sleep at the same moment for two seconds each both wake at the same moment at the earliest;
nothing promises how their sleeps interleave, so whoever decides by it decides by due times, never by elapsed ones.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Where virtual time begins: a fixed moment, so that stories read the same on every day."""


class VirtualClock:
    """
    Time as an argument, for simulations.
    """

    def __init__(self, start: datetime = EPOCH) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """
        The present, aware, in UTC.
        """
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """
        Seconds since virtual time began.
        """
        return (self.now() - EPOCH).total_seconds()

    def sleep(self, seconds: float) -> None:
        """
        Move the present on.
        """
        self.advance(seconds)

    def advance(self, seconds: float) -> datetime:
        """
        Move the present on; returns the new one.

        Raises:
            ValueError: Time does not run backwards.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards ({seconds} s)")
        with self._lock:
            self._now += timedelta(seconds=seconds)
            return self._now

    def advance_to(self, moment: datetime) -> None:
        """
        Move the present to a moment; a moment that has passed changes nothing.
        """
        with self._lock:
            self._now = max(self._now, moment)
