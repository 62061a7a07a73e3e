"""
Whom a batch service yields to: an online service of the same platform that burns its budget because it has more to do than it can.
"""

from __future__ import annotations

from fournines.model.case import Diagnosis
from tasks.batch.desk import Desk

CASES_MAX = 1_000


def lacking_room(desk: Desk) -> str:
    """
    The name of that service; empty: there is none, or the owner of the batch service does not want it to yield.
    """
    service = desk.service
    if not service.parameters.get("yields", True):
        return ""
    open_cases = desk.workshop.store.cases.cases(open_only=True, limit=CASES_MAX)
    return next(
        (
            case.subject.service
            for case in open_cases
            if case.diagnosis is Diagnosis.SATURATED
            and case.subject.platform == service.platform
            and case.subject.service not in {"", service.name}
        ),
        "",
    )
