"""
A plan: an immutable graph of steps with a purpose, and the refusals met while making it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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
    BAKE = "bake"
    DRILL = "drill"


class Plan(Value):
    """
    What will be done, and in which order.

    Attributes:
        id: Same inputs, same id: purpose, subject and a digest of the steps and of the inventory's moment.
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


_ID_DIGEST_LENGTH = 10


def make(
    *,
    purpose: Purpose,
    platform: str,
    service: str | None,
    made_at: datetime,
    steps: Iterable[Step],
    refusals: Iterable[Refusal] = (),
) -> Plan:
    """
    A plan with its id: `deploy-demo-shop-1f2e3d4c5b`.
    """
    chosen = tuple(steps)
    content = hashlib.sha256(made_at.isoformat().encode())
    for step in chosen:
        content.update(step.model_dump_json().encode())
    subject = f"{platform}-{service}" if service else platform
    return Plan(
        id=f"{purpose}-{subject}-{content.hexdigest()[:_ID_DIGEST_LENGTH]}",
        purpose=purpose,
        platform=platform,
        service=service,
        made_at=made_at,
        steps=chosen,
        refusals=tuple(refusals),
    )
