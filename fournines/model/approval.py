"""
An approval: a person's yes or no to a plan that cannot be undone, with a deadline and what silence means.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from fournines.model.case import Subject
from fournines.model.value import Value


class ApprovalState(StrEnum):
    """
    Where a request stands.
    """

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class Approval(Value):
    """
    What was asked, and what was answered.

    Attributes:
        digest: Of what would be done: only the same plan may be performed on this word.
        reasons: Why it was asked, one sentence each.
        steps: What would be done, one line each.
        default: What silence means at the deadline.
        by: Who decided; `deadline` when nobody did.
    """

    case_id: str
    subject: Subject
    digest: str
    reasons: tuple[str, ...]
    steps: tuple[str, ...]
    asked_at: datetime
    deadline_at: datetime
    default: ApprovalState = ApprovalState.REJECTED
    state: ApprovalState = ApprovalState.WAITING
    by: str = ""
    why: str = ""
    decided_at: datetime | None = None

    def decided(
        self, state: ApprovalState, *, by: str, why: str, at: datetime
    ) -> Approval:
        """
        The same request, answered.
        """
        changes = {"state": state, "by": by, "why": why, "decided_at": at}
        return self.model_copy(update=changes)

    def sentence(self) -> str:
        """
        For people.
        """
        asked = "; ".join(self.reasons)
        if self.state is ApprovalState.WAITING:
            return (
                f"{self.case_id} asks for approval until {self.deadline_at:%H:%M:%S} UTC "
                f"(then {self.default}): {asked}"
            )
        return (
            f"{self.state} by {self.by}{f': {self.why}' if self.why else ''} ({asked})"
        )
