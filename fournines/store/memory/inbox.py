"""
The inbox in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import RLock

from fournines.store.inbox import FIRING, RESOLVED
from fournines.store.protocol import AlertRecord


class MemoryInbox:
    """
    `Inbox` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._records: dict[str, AlertRecord] = {}
        self._pending: dict[str, None] = {}
        self._firing: dict[str, None] = {}

    def put(self, alerts: Sequence[AlertRecord]) -> tuple[AlertRecord, ...]:
        news: dict[str, AlertRecord] = {}
        with self._lock:
            for record in alerts:
                before = self._records.get(record.key)
                kept = record
                if before is None:
                    self._pending[record.key] = None
                elif before.status != RESOLVED and record.status == RESOLVED:
                    kept = record.model_copy(update={"case_id": before.case_id})
                else:
                    continue
                self._records[record.key] = kept
                news[record.key] = record
                if record.status == FIRING:
                    self._firing[record.key] = None
                else:
                    self._firing.pop(record.key, None)
        return tuple(news.values())

    def pending(self, limit: int = 100) -> tuple[AlertRecord, ...]:
        with self._lock:
            return tuple(self._records[key] for key in list(self._pending)[:limit])

    def assign(self, keys: Sequence[str], case_id: str) -> None:
        with self._lock:
            for key in keys:
                if key in self._records:
                    told = self._records[key].model_copy(update={"case_id": case_id})
                    self._records[key] = told
                    self._pending.pop(key, None)

    def firing(self, platform: str, service: str) -> tuple[AlertRecord, ...]:
        with self._lock:
            found = (self._records[key] for key in self._firing)
            return tuple(
                record
                for record in found
                if record.labels.get("platform") == platform
                and record.labels.get("service") == service
            )

    def forget(self, before: datetime, *, firing_before: datetime) -> int:
        with self._lock:
            old = [
                key
                for key, record in self._records.items()
                if key not in self._pending
                and record.received_at
                < (before if record.status == RESOLVED else firing_before)
            ]
            for key in old:
                del self._records[key]
                self._firing.pop(key, None)
        return len(old)
