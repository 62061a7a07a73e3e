"""
A plan as rows for people. Rendering them is the command line's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fournines.planning import costs, graph
from fournines.planning.plan import Plan
from fournines.planning.steps import (
    ApplyContents,
    AwaitMember,
    AwaitServing,
    DeleteInstance,
    DeleteResource,
    Drain,
    FailOverLoadBalancer,
    ForgetMember,
    JoinPool,
    LeavePool,
    PrepareLeave,
    RestartInstance,
    RestartMember,
    SetWeight,
    Step,
    SwitchOver,
    WithdrawKey,
)

HEADER = ("wave", "step", "subject", "why", "expected")
_SHOWN_MAX = 4


@dataclass(frozen=True, slots=True)
class Row:
    """
    One step as people read it; `wave` counts from 1.
    """

    wave: int
    verb: str
    subject: str
    why: str
    expected_seconds: float
    undo: str

    def cells(self) -> tuple[str, str, str, str, str]:
        """
        As text under HEADER.
        """
        expected = f"{self.expected_seconds:.1f} s"
        return (str(self.wave), self.verb, self.subject, self.why, expected)


def rows(plan: Plan) -> tuple[Row, ...]:
    """
    One row a step, in the order of waves.
    """
    return tuple(
        Row(
            wave=number,
            verb=step.kind.replace("-", " "),
            subject=subject(step),
            why=step.why,
            expected_seconds=costs.expected_seconds(step),
            undo=step.UNDO,
        )
        for number, wave in enumerate(graph.waves(plan.steps), start=1)
        for step in wave
    )


def subject(step: Step) -> str:  # noqa: C901, PLR0911  one return a kind
    """
    What a step is about: names, as people know them from the cloud.
    """
    match step:
        case JoinPool():
            return _listed(m.instance for m in step.members) + f" -> {step.pool}"
        case LeavePool():
            return f"{_listed(step.instances)} <- {step.pool}"
        case AwaitServing():
            return _listed(step.instances)
        case SetWeight():
            return f"{step.instance} {step.weight_before} -> {step.weight}"
        case Drain():
            return f"{step.instance} {step.wait_seconds:g} s"
        case FailOverLoadBalancer():
            return step.load_balancer
        case RestartInstance() | DeleteInstance() | PrepareLeave() | WithdrawKey():
            return step.instance
        case AwaitMember() | ForgetMember() | RestartMember():
            return step.slot
        case ApplyContents() | SwitchOver():
            return f"{step.platform}-{step.service}-{step.group}"
        case DeleteResource():
            return f"{step.resource} {step.name}"
        case _:
            return step.spec.name


def summary(plan: Plan, *, timed: bool = True) -> str:
    """
    One sentence: how many steps, how long, what was refused. Not `timed`: how long is said by who knows better.
    """
    if plan.empty and not plan.refusals:
        return "Nothing to do: what is, is what should be."
    seconds = graph.critical_path(plan.steps).seconds
    about = f", about {seconds:.0f} s" if timed else ""
    text = (
        f"{len(plan.steps)} steps in {len(graph.waves(plan.steps))} waves{about}."
        if plan.steps
        else "Nothing will be done."
    )
    if plan.refusals:
        text += f" {len(plan.refusals)} refused."
    return text


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    if len(found) <= _SHOWN_MAX:
        return ", ".join(found)
    return f"{', '.join(found[:_SHOWN_MAX])} and {len(found) - _SHOWN_MAX} more"
