"""
The store's doors for what keeps healing back: pauses, quarantined builds, approvals. Every call is one short transaction and thread-safe.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from fournines.model.approval import Approval, ApprovalState
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine


class Pauses(Protocol):
    """
    What people told healing to keep its hands off. Ended ones stay until they are lifted: whoever asks compares with its present.
    """

    def put(self, pause: Pause) -> None:
        """
        Insert, or replace the one of the same key.
        """
        ...

    def lift(self, key: str) -> Pause | None:
        """
        Take a pause away; returns it, or None when there was none.
        """
        ...

    def all(self) -> tuple[Pause, ...]:
        """
        By key.
        """
        ...


class Quarantines(Protocol):
    """
    Builds whose replacements never served.
    """

    def put(self, quarantine: Quarantine) -> None:
        """
        Insert, or replace the one of the same key.
        """
        ...

    def release(self, key: str) -> None: ...

    def all(self) -> tuple[Quarantine, ...]:
        """
        By key; those that only have strikes too.
        """
        ...


class Approvals(Protocol):
    """
    Requests to people; a case has at most one, the latest.
    """

    def ask(self, request: Approval) -> None:
        """
        Insert, or replace the case's earlier one.
        """
        ...

    def of(self, case_id: str) -> Approval | None: ...

    def decide(
        self,
        case_id: str,
        state: ApprovalState,
        *,
        by: str,
        why: str,
        at: datetime,
    ) -> Approval | None:
        """
        Answer a waiting request. None when there is none that waits: the first answer counts.
        """
        ...

    def about(self, key: str, *, since: datetime) -> tuple[Approval, ...]:
        """
        Requests about a subject's key asked since a moment, newest first.
        """
        ...

    def waiting(self) -> tuple[Approval, ...]:
        """
        Unanswered ones, oldest first.
        """
        ...
