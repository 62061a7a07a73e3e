"""
Which remedy: watch -> drain -> restart -> replace -> page, and why not the others.

An instance is cattle and a new one serves within seconds, so an instance that is known to be sick is replaced at once: a restart
takes as long and leaves an unknown state behind. Restart comes first where a volume must stay attached (moving it costs more than a
boot), and where the cloud has no room for a second instance.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from fournines.model.case import Diagnosis
from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value
from healing import brakes
from healing.diagnosis.kinds import REPLACED
from healing.situation import Situation

NO_ROOM = "the cloud has no room for a second instance"
"""Why there is no replacement when quota or capacity are used up."""


class Rung(StrEnum):
    """
    The ladder, gentle to rough.
    """

    WATCH = "watch"
    RESTART = "restart"
    REPLACE = "replace"
    PAGE = "page"


class Choice(Value):
    """
    A rung, with a sentence for it and one for each rung not taken.

    Attributes:
        drain: Whether the sick member's weight may be 0 before anything else happens.
    """

    rung: Rung
    why: str
    drain: bool = False
    rejected: dict[str, str] = Field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()


def choose(
    diagnosis: Diagnosis,
    situation: Situation,
    *,
    failed: tuple[Rung, ...] = (),
    no_room: bool = False,
    budget_left_ratio: float | None = None,
) -> Choice:
    """
    The rung to take now.

    Args:
        diagnosis: What the engines found.
        situation: The world around the slot.
        failed: Rungs already taken in this case without success.
        no_room: The cloud refused a second instance (quota or capacity).
        budget_left_ratio: Share of the month's budget left; None while unknown. With little left the gentle rungs are skipped.
    """
    if diagnosis is Diagnosis.NOTHING:
        return Choice(rung=Rung.WATCH, why="it is well: only its weight is restored")
    if diagnosis not in REPLACED:
        return Choice(
            rung=Rung.PAGE,
            why="nothing is known for sure, and nothing is done on silence",
            refusals=(_blind(diagnosis, situation),),
        )
    brake = brakes.min_healthy(situation)
    drain = brake is None
    shut = brakes.quarantined(situation)
    refusals = tuple(refusal for refusal in (brake, shut) if refusal)
    rejected = {Rung.WATCH.value: "two samples say that users are hurt"}
    chosen: tuple[Rung, str] | None = None
    no_new = shut.detail if shut else NO_ROOM if no_room else None
    if no_new:
        rejected[Rung.REPLACE.value] = no_new
    for rung, why in _order(situation, no_new=no_new, spent=_spent(budget_left_ratio)):
        if rung in failed:
            rejected[rung.value] = "tried in this case, and it did not help"
        elif rung is Rung.RESTART and not drain:
            rejected[rung.value] = "it still serves, and too few others do"
        elif chosen is None:
            chosen = (rung, why)
        else:
            rejected[rung.value] = f"only if the {chosen[0]} does not help"
    rung, why = chosen or (Rung.PAGE, "no rung is left")
    return Choice(rung=rung, why=why, drain=drain, rejected=rejected, refusals=refusals)


def _spent(budget_left_ratio: float | None) -> bool:
    return budget_left_ratio is not None and budget_left_ratio < 0.1


def _order(
    situation: Situation, *, no_new: str | None, spent: bool
) -> tuple[tuple[Rung, str], ...]:
    """
    The rungs that make sense here, first choice first. `no_new` says why there may be no second instance.
    """
    exists = situation.instance is not None
    if no_new:
        return ((Rung.RESTART, no_new),) if exists else ()
    replace = (Rung.REPLACE, "a new instance serves within seconds, in a known state")
    keeps_volume = situation.group.volume_size_gb is not None
    if not exists or not keeps_volume or spent:
        return (replace,)
    return (
        (Rung.RESTART, "its volume stays attached; moving it costs more than a boot"),
        replace,
    )


def _blind(diagnosis: Diagnosis, situation: Situation) -> Refusal:
    blind = diagnosis is Diagnosis.BLIND
    return Refusal(
        reason=Reason.BLIND if blind else Reason.EVIDENCE_MISSING,
        detail="our own eyes are closed" if blind else "the samples do not agree",
        subject=situation.subject.key,
    )
