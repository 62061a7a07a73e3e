"""
What is said of a plan before it is performed: how long, and what it costs users; beside it, afterwards, how long it took.
"""

from __future__ import annotations

from fournines.model.value import Value
from fournines.planning import graph
from fournines.planning.plan import Plan
from healing.rehearsal import Rehearsed

LOOKS_MAX = 400_000
"""Looks at members: after each step those of its pool are looked at. So many take about five seconds of a core, which a deploy can wait."""

STEP_LOOKS = 20
"""What a step costs by itself, in looks."""


class Prediction(Value):
    """
    Foreseen for one plan.

    Attributes:
        seconds: From its first step to its last.
        budget_seconds: Its cost in seconds of full outage at the most; None when nobody can say.
        unrehearsed: Why it was not tried step by step; empty when it was.
    """

    steps: int
    seconds: float
    budget_seconds: float | None = None
    unrehearsed: str = ""

    def sentence(self) -> str:
        """
        For people.
        """
        if self.unrehearsed:
            return (
                f"not rehearsed ({self.unrehearsed}): about {self.seconds:.0f} s "
                "by what its steps usually take"
            )
        return (
            f"rehearsed in {self.steps} steps: about {self.seconds:.1f} s, "
            f"{self.budget_seconds or 0:.1f} s of budget at the most"
        )


def of(seen: Rehearsed, plan: Plan) -> Prediction:
    """
    What a rehearsal showed. A setting that somebody changed is right in the copy already, which takes no time: then the usual cost of the steps counts.
    """
    usual = graph.critical_path(plan.steps).seconds
    return Prediction(
        steps=len(seen.moments) - 1,
        seconds=seen.seconds or round(usual, 3),
        budget_seconds=seen.budget_seconds,
    )


def without_rehearsal(plan: Plan, why: str) -> Prediction:
    """
    By the usual cost of its steps.
    """
    path = graph.critical_path(plan.steps)
    return Prediction(
        steps=len(plan.steps), seconds=round(path.seconds, 3), unrehearsed=why
    )


def is_too_large(plan: Plan, members_max: int) -> str:
    """
    Why a plan is not tried step by step, or nothing. `members_max` are the members of the largest pool.
    """
    looks = len(plan.steps) * (members_max + STEP_LOOKS)
    if looks <= LOOKS_MAX:
        return ""
    steps_max = LOOKS_MAX // (members_max + STEP_LOOKS)
    return (
        f"{len(plan.steps)} steps on pools of up to {members_max} members, "
        f"at most {steps_max} are tried one by one"
    )
