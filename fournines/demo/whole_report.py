"""
The whole demonstration's report: one row per service and what was done to it. Pure.
"""

from __future__ import annotations

from pydantic import Field

from fournines.model.value import Value

RECOVERED = "recovered"


class ServiceRow(Value):
    """
    One service, and what happened to it.

    Attributes:
        kind: Its blueprint.
        fault: What was done: a fault, or `restore`, `drill`.
        subject: Of whom: an instance, a backup.
        waited_seconds: The longest time in which its users got nothing done.
        recovered_seconds: From the fault until it was whole again; None: it never was.
        acknowledged: What users were told is done, while all this went on.
        lost: What of that was not found afterwards.
        verdict: `recovered`, or what stands in the way.
    """

    kind: str
    service: str
    fault: str
    subject: str
    case_id: str | None = None
    waited_seconds: float | None = None
    recovered_seconds: float | None
    acknowledged: int
    lost: int
    verdict: str


class WholeReport(Value):
    """
    The whole demonstration.
    """

    deploy_seconds: float
    services: tuple[ServiceRow, ...] = Field(min_length=1)
    plan_empty_afterwards: bool

    @property
    def recovered(self) -> bool:
        """
        Every service is whole, nothing is lost, and nothing is left to do.
        """
        return self.plan_empty_afterwards and all(
            row.verdict == RECOVERED and row.lost == 0 for row in self.services
        )
