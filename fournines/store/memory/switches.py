"""
Switches in memory.
"""

from __future__ import annotations

from datetime import datetime
from threading import RLock

from fournines.store.switches import sentence


class MemorySwitches:
    """
    `Switches` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._set: dict[str, tuple[bool, str]] = {}

    def is_on(self, name: str) -> bool:
        with self._lock:
            return self._set.get(name, (True, ""))[0]

    def set(self, name: str, *, on: bool, by: str, why: str, at: datetime) -> None:
        with self._lock:
            self._set[name] = (on, sentence(on=on, by=by, why=why, at=at))

    def why(self, name: str) -> str:
        with self._lock:
            return self._set.get(name, (True, ""))[1]
