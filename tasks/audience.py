"""
Who is there while a plan is performed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fournines.planning.plan import Plan
from healing.prediction import Prediction
from tasks import execution
from tasks.execution import Performer
from tasks.outcome import Progress


def _show_nobody(_plan: Plan, _predicted: Prediction | None) -> None:
    """
    The plan is not shown.
    """


def _tell_nobody(_line: str) -> None:
    """
    What goes on before there is a plan is not told.
    """


@dataclass(frozen=True, slots=True)
class Audience:
    """
    Who sees the plan before it is performed, who runs its steps, and who watches; `tell` is for what goes on before there is a plan.
    """

    show: Callable[[Plan, Prediction | None], None] = field(default=_show_nobody)
    performer: Performer = field(default=execution.at_once)
    watch: Callable[[Progress], None] = field(default=execution.ignore_progress)
    tell: Callable[[str], None] = field(default=_tell_nobody)


NOBODY = Audience()
