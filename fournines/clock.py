"""
The one place that reads the time. Decisions take it as an argument.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """
    A source of time; the simulated cloud brings its own.
    """

    def now(self) -> datetime:
        """
        The present, aware, in UTC.
        """
        ...

    def monotonic(self) -> float:
        """
        Seconds that only ever grow, whatever is done to the machine's clock: for how long something takes.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """
        Let time pass.
        """
        ...


class SystemClock:
    """
    The machine's clock.
    """

    def now(self) -> datetime:
        """
        The present, aware, in UTC.
        """
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """
        Seconds since some moment.
        """
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """
        Let time pass.
        """
        time.sleep(seconds)
