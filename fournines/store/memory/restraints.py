"""
Pauses, quarantines and approvals in memory.
"""

from __future__ import annotations

from datetime import datetime
from threading import RLock

from fournines.model.approval import Approval, ApprovalState
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine


class MemoryPauses:
    """
    `Pauses` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._kept: dict[str, Pause] = {}

    def put(self, pause: Pause) -> None:
        with self._lock:
            self._kept[pause.key] = pause

    def lift(self, key: str) -> Pause | None:
        with self._lock:
            return self._kept.pop(key, None)

    def all(self) -> tuple[Pause, ...]:
        with self._lock:
            return tuple(kept for _, kept in sorted(self._kept.items()))


class MemoryQuarantines:
    """
    `Quarantines` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._kept: dict[str, Quarantine] = {}

    def put(self, quarantine: Quarantine) -> None:
        with self._lock:
            self._kept[quarantine.key] = quarantine

    def release(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def all(self) -> tuple[Quarantine, ...]:
        with self._lock:
            return tuple(kept for _, kept in sorted(self._kept.items()))


class MemoryApprovals:
    """
    `Approvals` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._kept: dict[str, Approval] = {}

    def ask(self, request: Approval) -> None:
        with self._lock:
            self._kept[request.case_id] = request

    def of(self, case_id: str) -> Approval | None:
        with self._lock:
            return self._kept.get(case_id)

    def decide(
        self,
        case_id: str,
        state: ApprovalState,
        *,
        by: str,
        why: str,
        at: datetime,
    ) -> Approval | None:
        with self._lock:
            asked = self._kept.get(case_id)
            if asked is None or asked.state is not ApprovalState.WAITING:
                return None
            answered = asked.decided(state, by=by, why=why, at=at)
            self._kept[case_id] = answered
            return answered

    def about(self, key: str, *, since: datetime) -> tuple[Approval, ...]:
        with self._lock:
            found = [
                kept
                for kept in self._kept.values()
                if kept.subject.key == key and kept.asked_at >= since
            ]
        return tuple(sorted(found, key=lambda kept: kept.asked_at, reverse=True))

    def waiting(self) -> tuple[Approval, ...]:
        with self._lock:
            found = [k for k in self._kept.values() if k.state is ApprovalState.WAITING]
        return tuple(sorted(found, key=lambda kept: kept.asked_at))
