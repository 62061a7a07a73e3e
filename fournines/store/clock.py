"""
One present for everybody who works on a store: the store's own clock, read now and then, and counted on by the machine's monotonic clock.

A healer on a machine whose clock is an hour wrong, or is set while it runs, must not see rested slots as busy, fresh alerts as old, or a soak as
over. What its colleagues wrote is dated by the same clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fournines.clock import Clock
from fournines.store.protocol import Store, StoreError

READ_SECONDS = 30.0
"""From reading to reading: two quartz clocks part by a millisecond in that time."""


class StoreClock:
    """
    `Clock` of a process that works on a store. Thread-safe: what it keeps is replaced as a whole.
    """

    def __init__(self, store: Store, machine: Clock) -> None:
        self._store = store
        self._machine = machine
        self._read: tuple[float, datetime] | None = None
        self._told: tuple[float, datetime] | None = None

    def now(self) -> datetime:
        """
        The present, aware, in UTC.
        """
        tick = self._machine.monotonic()
        told, read = self._told, self._read
        if told is not None and told[0] == tick:
            return told[1]
        if read is None or tick - read[0] > READ_SECONDS:
            read = self._look(read)
            tick = self._machine.monotonic()
        self._told = told = tick, read[1] + timedelta(seconds=tick - read[0])
        return told[1]

    def monotonic(self) -> float:
        """
        The machine's.
        """
        return self._machine.monotonic()

    def sleep(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self._machine.sleep(seconds)

    def _look(self, before: tuple[float, datetime] | None) -> tuple[float, datetime]:
        tick = self._machine.monotonic()
        try:
            told = self._store.now()
        except StoreError:
            # Away for a moment: what was read last still holds; nothing is decided without a store anyway.
            return before or (tick, self._machine.now())
        after = self._machine.monotonic()
        self._read = (tick + after) / 2, told
        return self._read
