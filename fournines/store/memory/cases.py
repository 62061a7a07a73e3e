"""
Cases in memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from threading import RLock

from fournines.model.case import Case
from fournines.store.memory.leases import MemoryLeases
from fournines.store.protocol import Lease, StoreError

_by_id = attrgetter("id")
_by_age = attrgetter("opened_at")


class MemoryCases:
    """
    `Cases` in memory.
    """

    def __init__(self, lock: RLock, leases: MemoryLeases) -> None:
        self._lock = lock
        self._leases = leases
        self._cases: dict[str, Case] = {}
        self._open: dict[str, Case] = {}
        self._by_key: defaultdict[str, dict[str, Case]] = defaultdict(dict)

    def put(self, case: Case, *, rights: Sequence[Lease] = ()) -> None:
        with self._lock:
            self._leases.demand(rights)
            key = case.subject.key
            other = self._open.get(key)
            if other is not None and other.id == case.id:
                other = None
            if other is not None and not case.state.ended:
                raise StoreError(
                    f"recording case {case.id} in the store: {other.id} is open for {key}"
                )
            before = self._cases.get(case.id)
            if before is not None and before.subject != case.subject:
                self._by_key[before.subject.key].pop(case.id, None)
            self._cases[case.id] = self._by_key[key][case.id] = case
            if other is None:
                self._open.pop(key, None)
                if not case.state.ended:
                    self._open[key] = case

    def case(self, case_id: str) -> Case | None:
        with self._lock:
            return self._cases.get(case_id)

    def open_for(self, key: str) -> Case | None:
        with self._lock:
            return self._open.get(key)

    def cases(
        self,
        *,
        service: str | None = None,
        key: str | None = None,
        open_only: bool = False,
        since: datetime | None = None,
        limit: int = 100,
    ) -> tuple[Case, ...]:
        with self._lock:
            if open_only:
                looked = self._open
            else:
                looked = self._cases if key is None else self._by_key.get(key, {})
            if not looked:
                return ()
            found = [
                case
                for case in looked.values()
                if (service is None or case.subject.service == service)
                and (not open_only or key is None or case.subject.key == key)
                and (since is None or case.opened_at >= since)
            ]
        if len(found) > 1:
            found.sort(key=_by_id)
            found.sort(key=_by_age, reverse=True)
        return tuple(found[:limit])

    def forget(self, before: datetime) -> int:
        with self._lock:
            old = [
                case
                for case in self._cases.values()
                if case.state.ended and case.opened_at < before
            ]
            for case in old:
                del self._cases[case.id]
                self._by_key[case.subject.key].pop(case.id, None)
        return len(old)
