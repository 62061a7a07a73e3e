"""
The demonstration's report: one row per fault, as users and the case saw it. Pure.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from fournines.demo.tally import Request, between, budget_seconds, tally
from fournines.model.case import Case, CaseState
from fournines.model.value import Value


class FaultRow(Value):
    """
    One fault from breaking to the case's end. Seconds count from the fault; None means it never happened.
    """

    kind: str = Field(serialization_alias="class")
    instance: str
    case_id: str | None
    detected_seconds: float | None
    out_of_pool_seconds: float | None
    redundancy_restored_seconds: float | None
    requests: int
    bad_requests: int
    budget_seconds: float
    verdict: str


class Report(Value):
    """
    The whole demonstration.
    """

    deploy_seconds: float
    requests: int
    bad_requests: int
    budget_seconds: float
    faults: tuple[FaultRow, ...]
    plan_empty_afterwards: bool

    @property
    def recovered(self) -> bool:
        """
        Every case closed as recovered, and nothing left to do.
        """
        return self.plan_empty_afterwards and all(
            row.verdict == CaseState.RECOVERED for row in self.faults
        )


def row(
    kind: str,
    instance: str,
    case: Case | None,
    requests: list[Request],
    *,
    fault_at: float,
    ended_at: float,
    rate: float,
    threshold_seconds: float,
) -> FaultRow:
    """
    One fault's row. Times are epoch seconds; `requests` may hold more than the span.
    """
    seen = tally(between(requests, fault_at, ended_at), threshold_seconds)
    return FaultRow(
        kind=kind,
        instance=instance,
        case_id=case.id if case else None,
        detected_seconds=_since(fault_at, case.detected_at if case else None),
        out_of_pool_seconds=_since(fault_at, case.out_of_pool_at if case else None),
        redundancy_restored_seconds=_since(
            fault_at, case.redundancy_at if case else None
        ),
        requests=seen.requests,
        bad_requests=seen.bad,
        budget_seconds=round(budget_seconds(seen.bad, rate), 3),
        verdict=case.state.value if case else "not noticed",
    )


def _since(fault_at: float, moment: datetime | None) -> float | None:
    return None if moment is None else round(moment.timestamp() - fault_at, 2)
