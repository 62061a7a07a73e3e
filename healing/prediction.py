"""
What is said of a plan before it is performed: how long, and what it costs users; beside it, afterwards, how long it took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from fournines.model.value import Value
from fournines.planning import costs, graph
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
        measured: It counts with what such steps took here lately.
    """

    steps: int
    seconds: float
    budget_seconds: float | None = None
    unrehearsed: str = ""
    measured: bool = False

    def sentence(self) -> str:
        """
        For people.
        """
        basis = "took here lately" if self.measured else "usually take"
        if self.unrehearsed:
            return (
                f"not rehearsed ({self.unrehearsed}): about {self.seconds:.0f} s "
                f"by what its steps {basis}"
            )
        by = f" by what its steps {basis}" if self.measured else ""
        return (
            f"rehearsed in {self.steps} steps: about {self.seconds:.1f} s{by}, "
            f"{self.budget_seconds or 0:.1f} s of budget at the most"
        )


def of(seen: Rehearsed, plan: Plan, known: Mapping[str, Sequence[float]]) -> Prediction:
    """
    What a rehearsal showed, or what such steps took here lately where that is longer (`known`: seconds by kind of step, the newest first).
    A setting that somebody changed is right in the copy already, which takes no time: then the usual cost of the steps counts.
    """
    rehearsed = seen.seconds or graph.critical_path(plan.steps).seconds
    lately = _lately(plan, known)
    return Prediction(
        steps=len(seen.moments) - 1,
        seconds=round(max(rehearsed, lately), 3),
        budget_seconds=seen.budget_seconds,
        measured=lately > rehearsed,
    )


def without_rehearsal(
    plan: Plan, why: str, known: Mapping[str, Sequence[float]]
) -> Prediction:
    """
    By the usual cost of its steps, or what such steps took here lately where that is longer.
    """
    usual = graph.critical_path(plan.steps).seconds
    lately = _lately(plan, known)
    return Prediction(
        steps=len(plan.steps),
        seconds=round(max(usual, lately), 3),
        unrehearsed=why,
        measured=lately > usual,
    )


def _lately(plan: Plan, known: Mapping[str, Sequence[float]]) -> float:
    """
    The longest chain by what such steps took here.
    """
    seconds_of = partial(costs.measured_seconds, known=known)
    return graph.critical_path(plan.steps, seconds_of).seconds


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
