"""
What a rehearsal showed, and whether its plan may be performed: the laws, pure. The rehearsing itself is tasks/rehearsal.py.

Laws: every step succeeds on the copy (names, quota, room, hosts apart); after every step each pool has at least its floor of serving members, or
as many as at the beginning; no slot ends with more instances than it began with and needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value


class Moment(Value):
    """
    One state on the way.

    Attributes:
        after: The step just done; empty before the first.
        serving: By pool, how many members get requests and answer well.
        error_ratio: Of the users' requests, in the worst pool.
        seconds: What the step took.
    """

    after: str = ""
    serving: dict[str, int] = Field(default_factory=dict)
    error_ratio: float = 0.0
    seconds: float = 0.0


class Rehearsed(Value):
    """
    A plan, tried on a copy of what is there.

    Attributes:
        moments: The states it went through, the present first.
        failed: The step that could not succeed, and why; empty when all did.
        no_room: It failed for want of quota or capacity: another rung may need none.
        doubled: Slots that ended with more than one instance and did not begin so.
        seconds: Predicted for the real thing: the longest chain of steps.
        budget_seconds: Predicted cost in seconds of full outage, from the beginning to the end.
    """

    plan_id: str
    moments: tuple[Moment, ...] = ()
    failed: str = ""
    no_room: bool = False
    doubled: tuple[str, ...] = ()
    seconds: float = 0.0
    budget_seconds: float = 0.0

    def sentence(self) -> str:
        """
        For people.
        """
        return (
            f"rehearsed in {len(self.moments) - 1} steps: about {self.seconds:.1f} s, "
            f"{self.budget_seconds:.1f} s of budget at the most"
        )


def judge(
    seen: Rehearsed, floors: Mapping[str, int], *, subject: str
) -> Refusal | None:
    """
    The first law that the plan breaks, as a refusal; None: it may be performed.
    """
    complaint = seen.failed or _too_few(seen, floors) or _doubles(seen)
    if not complaint:
        return None
    return Refusal(
        reason=Reason.REHEARSAL,
        detail=f"rehearsed on a copy of what is there: {complaint}",
        subject=subject,
    )


def _too_few(seen: Rehearsed, floors: Mapping[str, int]) -> str:
    begin = seen.moments[0].serving if seen.moments else {}
    for moment in seen.moments:
        for pool, floor in floors.items():
            needed = min(floor, begin.get(pool, 0))
            found = moment.serving.get(pool, 0)
            if found < needed:
                return (
                    f"after {moment.after} only {found} members of {pool} serve, "
                    f"{needed} must"
                )
    return ""


def _doubles(seen: Rehearsed) -> str:
    if not seen.doubled:
        return ""
    return f"{', '.join(seen.doubled)} would hold two instances at the end"
