"""
Names already resolved, for a while: so that no call re-reads what another just read.

What is remembered may be outdated; whoever meets a 404 by it forgets the entry and looks again.
"""

from __future__ import annotations

import threading
import time
from typing import Any

REMEMBER_SECONDS = 60.0
"""Images, flavors, zones and addresses change rarely, and not behind a plan's back."""

ID_SECONDS = 900.0
"""A wrong id is noticed by its 404, so the ids that a healing's first move needs are kept between reconciles."""

RARELY_SECONDS = 10.0
"""What only deploys change, for whoever does not look closely. Our own changes end it at once."""

_IDS = frozenset({"balancer", "pool", "member", "roles"})


RARELY = "rarely"


class Known:
    """
    (kind, name) -> what was read. Thread-safe.
    """

    def __init__(self, seconds: float = REMEMBER_SECONDS) -> None:
        self._seconds = seconds
        self._found: dict[tuple[str, str], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def get(self, kind: str, name: str) -> Any | None:
        """
        What was read, or None when it is unknown or too old.
        """
        with self._lock:
            entry = self._found.get((kind, name))
        if entry is None or time.monotonic() - entry[0] > self._limit(kind):
            return None
        return entry[1]

    def _limit(self, kind: str) -> float:
        if kind == RARELY:
            return RARELY_SECONDS
        return ID_SECONDS if kind in _IDS else self._seconds

    def put(self, kind: str, name: str, value: Any) -> None:
        """
        Remember it.
        """
        with self._lock:
            self._found[(kind, name)] = (time.monotonic(), value)

    def forget(self, kind: str, name: str) -> None:
        """
        It is gone, or wrong.
        """
        with self._lock:
            self._found.pop((kind, name), None)
