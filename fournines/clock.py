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

    def sleep(self, seconds: float) -> None:
        """
        Let time pass.
        """
        time.sleep(seconds)
