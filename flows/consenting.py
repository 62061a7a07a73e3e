"""
Asking a person before what cannot be undone: the request lies in the store, the case waits without a lease, and the world is read anew
after the answer.
"""

from __future__ import annotations

from datetime import timedelta

from flows import case_text, endings
from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.model.approval import Approval, ApprovalState
from fournines.model.case import Case, CaseState
from fournines.model.refusal import Reason
from fournines.planning.plan import Plan
from fournines.store.protocol import Store
from healing import consent
from healing.ladder import Choice
from healing.situation import Situation
from tasks.workshop import Workshop

DEADLINE = "the deadline"
"""Who decided when nobody did."""


def stands_in_the_way(
    ward: Ward, book: CaseBook, situation: Situation, plan: Plan, choice: Choice
) -> Case | None:
    """
    None: go. Otherwise the case as it is left: waiting for a person, or refused by one.
    """
    reasons = consent.reasons(plan, situation)
    if not reasons:
        return None
    store = ward.workshop.store
    digest = consent.digest(plan)
    known = store.approvals.of(book.case.id)
    if known is not None and known.digest == digest:
        if known.state is ApprovalState.APPROVED:
            book.note("approved", known.sentence())
            return None
        if known.state is ApprovalState.WAITING:
            return _wait(book, known)
    rejected = _rejected_lately(store, situation, digest)
    if rejected is not None:
        book.refuse((situation.refuse(Reason.APPROVAL, rejected.sentence()),))
        return endings.refused(ward, book)
    limits = situation.group.healing
    asked_at = ward.workshop.clock.now()
    request = Approval(
        case_id=book.case.id,
        subject=situation.subject,
        digest=digest,
        reasons=reasons,
        steps=tuple(step.id for step in plan.steps),
        asked_at=asked_at,
        deadline_at=asked_at + timedelta(seconds=limits.approval_seconds),
        default=ApprovalState(limits.approval_default),
    )
    store.approvals.ask(request)
    book.show("plan", lambda: case_text.plan_of(plan, choice.why, choice.rejected))
    book.show("approval", lambda: case_text.approval_of(request))
    return _wait(book, request)


def waiting(workshop: Workshop, case: Case) -> bool:
    """
    Whether nothing can be done for a case yet: a person is asked, and there is time left. At the deadline silence is the answer.
    """
    if case.state is not CaseState.AWAITING:
        return False
    approvals, now = workshop.store.approvals, workshop.clock.now()
    request = approvals.of(case.id)
    if request is None or request.state is not ApprovalState.WAITING:
        return False
    if now < request.deadline_at:
        return True
    approvals.decide(case.id, request.default, by=DEADLINE, why="", at=now)
    return False


def is_answered(workshop: Workshop, case_id: str) -> bool:
    """
    Whether a case waited for a person and goes on now.
    """
    case = workshop.store.cases.case(case_id)
    return case is not None and case.state is CaseState.AWAITING


def _wait(book: CaseBook, request: Approval) -> Case:
    book.change("approval_asked", request.sentence(), state=CaseState.AWAITING)
    return book.case


def _rejected_lately(
    store: Store, situation: Situation, digest: str
) -> Approval | None:
    """
    The same plan rejected a moment ago, in this case or in the one before: a person is not asked twice.
    """
    limits = situation.group.healing
    since = situation.now - timedelta(seconds=limits.cooldown_seconds)
    asked_since = since - timedelta(seconds=limits.approval_seconds)
    return next(
        (
            found
            for found in store.approvals.about(situation.subject.key, since=asked_since)
            if found.digest == digest
            and found.state is ApprovalState.REJECTED
            and (found.decided_at or found.asked_at) >= since
        ),
        None,
    )
