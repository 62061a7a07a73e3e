"""
A plan: an immutable graph of steps with a purpose, and the refusals met while making it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from fournines.model.refusal import Refusal
from fournines.model.value import Value
from fournines.planning.steps import Step


class Purpose(StrEnum):
    """
    What a plan is for.
    """

    DEPLOY = "deploy"
    SCALE = "scale"
    ROLL = "roll"
    HEAL = "heal"
    RECONCILE = "reconcile"
    DESTROY = "destroy"


class Plan(Value):
    """
    What will be done, and in which order.

    Attributes:
        id: Same inputs, same id: purpose, subject and a digest of the steps.
        made_at: The moment of the inventory it was made from.
        refusals: What was wanted and not planned, and why.
    """

    id: str
    purpose: Purpose
    platform: str
    service: str | None = None
    made_at: datetime
    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def empty(self) -> bool:
        """
        Nothing to do.
        """
        return not self.steps
