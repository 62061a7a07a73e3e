"""
Which remedy, and why not the others: watch, restart, replace, scale out or shift zone, roll back, fail over, page.

Weight 0 comes before all of them and is no question of the ladder: it is harmless (healing/first_action.py). After it the diagnosis says
which rungs could help at all; budget left, burn, cost and what is known to fail decide their order. An instance is cattle and a new one serves
within seconds, so an instance that is known to be sick is replaced at once: a restart takes as long and leaves an unknown state behind. Restart
comes first where a volume must stay attached (moving it costs more than a boot), and where there may be no second instance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import Field

from fournines.model.case import Diagnosis
from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value
from healing import brakes, ladder_service
from healing.diagnosis.kinds import A_PERSONS, REPLACED, SERVICE_WIDE, WELL
from healing.ladder_service import Offer
from healing.rungs import Rung
from healing.situation import Situation

NO_ROOM = "the cloud has no room for a second instance"
"""Why there is no replacement when quota or capacity are used up."""

BUDGET_LOW = 0.1
"""Share of the month's budget left below which there is none to try gentle rungs with."""


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


@dataclass(frozen=True, slots=True)
class _State:
    """
    What the choice depends on besides the diagnosis.
    """

    situation: Situation
    drain: bool
    no_new: str | None
    hurry: bool


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
        budget_left_ratio: Share of the month's budget left; None while unknown. With little left, or while alerts say that it burns, what
            may not help is not tried first.
    """
    if diagnosis in WELL:
        return _explained(
            Choice(rung=Rung.WATCH, why="it is well: only its weight is restored"),
            "nothing is wrong with it",
        )
    if diagnosis in A_PERSONS:
        return _explained(
            Choice(
                rung=Rung.PAGE,
                why="its cluster cannot decide, and nothing is taken away from it now",
                refusals=(_undecided(diagnosis, situation),),
            ),
            "what is taken away now may be what nobody else has",
        )
    if diagnosis not in REPLACED | SERVICE_WIDE:
        return _explained(
            Choice(
                rung=Rung.PAGE,
                why="nothing is known for sure, and nothing is done on silence",
                refusals=(_blind(diagnosis, situation),),
            ),
            "nothing is known for sure",
        )
    shut = brakes.quarantined(situation)
    brake = brakes.min_healthy(situation) if diagnosis in REPLACED else None
    state = _State(
        situation,
        drain=diagnosis in REPLACED and brake is None,
        no_new=shut.detail if shut else NO_ROOM if no_room else None,
        hurry=_hurry(situation, budget_left_ratio),
    )
    offers, others = _offers(diagnosis, state)
    refused = [brake, shut if diagnosis in REPLACED else None]
    refused += [offer.refusal for offer in offers]
    return _explained(
        _first(offers, failed, state, tuple(r for r in refused if r is not None)),
        others,
    )


def _first(
    offers: tuple[Offer, ...],
    failed: tuple[Rung, ...],
    state: _State,
    refusals: tuple[Refusal, ...],
) -> Choice:
    """
    The first offer that nothing speaks against.
    """
    rejected: dict[str, str] = {}
    chosen: Offer | None = None
    for offer in offers:
        if offer.rung in failed:
            rejected[offer.rung.value] = "tried in this case, and it did not help"
        elif offer.against is not None:
            rejected[offer.rung.value] = offer.against
        elif chosen is None:
            chosen = offer
        else:
            rejected[offer.rung.value] = f"only if the {chosen.rung} does not help"
    return Choice(
        rung=chosen.rung if chosen else Rung.PAGE,
        why=chosen.why if chosen else "no rung is left",
        drain=state.drain,
        rejected=rejected,
        refusals=refusals,
    )


def _explained(choice: Choice, others: str) -> Choice:
    """
    With a sentence for every rung that was not even offered.
    """
    rejected = dict(choice.rejected)
    for rung in Rung:
        if rung is Rung.PAGE and rung is not choice.rung:
            rejected.setdefault(rung.value, "only when no rung is left")
        elif rung is not choice.rung:
            rejected.setdefault(rung.value, others)
    return choice.model_copy(update={"rejected": rejected})


def _hurry(situation: Situation, budget_left_ratio: float | None) -> bool:
    spent = budget_left_ratio is not None and budget_left_ratio < BUDGET_LOW
    return spent or (situation.scene is not None and situation.scene.burning)


def _offers(diagnosis: Diagnosis, state: _State) -> tuple[tuple[Offer, ...], str]:
    """
    The rungs that could help with a diagnosis, first choice first; and a word for all others.
    """
    wide: dict[Diagnosis, Callable[[Situation, str | None], Offer]] = {
        Diagnosis.DEPENDENCY: ladder_service.leave,
        Diagnosis.SATURATED: ladder_service.scale_out,
        Diagnosis.BALANCER: ladder_service.fail_over,
        Diagnosis.BAD_RELEASE: ladder_service.roll_back,
    }
    if diagnosis in wide:
        offer = wide[diagnosis](state.situation, state.no_new)
        return (offer,), f"the member is not the cause ({diagnosis.value})"
    others = "the member is the cause: two samples say that it hurts users"
    if diagnosis is Diagnosis.ZONE_DOWN:
        return _when_the_zone_is_down(state), "its whole zone is down"
    return _when_it_is_sick(state, diagnosis), others


def _when_it_is_sick(state: _State, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    replace = Offer(
        Rung.REPLACE,
        "a new instance serves within seconds, in a known state",
        against=state.no_new,
    )
    volume = state.situation.group.hands_over
    restart = Offer(
        Rung.RESTART,
        state.no_new or "its volume stays attached; moving it costs more than a boot",
        against=_against_restart(state, diagnosis, volume=volume),
    )
    return (restart, replace) if volume or state.no_new else (replace, restart)


def _against_restart(
    state: _State, diagnosis: Diagnosis, *, volume: bool
) -> str | None:
    reasons = (
        (state.situation.instance is None, "there is no instance to restart"),
        (diagnosis is Diagnosis.HOST_DOWN, "its host is down"),
        (not state.drain, "it still serves, and too few others do"),
        (
            not state.no_new and not volume,
            "a replacement takes as long, and leaves no unknown state behind",
        ),
        (
            not state.no_new and state.hurry,
            "the budget is too low, or burns too fast, to try what may not help",
        ),
    )
    return next((why for holds, why in reasons if holds), None)


def _when_the_zone_is_down(state: _State) -> tuple[Offer, ...]:
    situation = state.situation
    pattern = situation.pattern
    down = pattern.zones_down() if pattern else ()
    up = [
        zone
        for zone in situation.group.zones or situation.inventory.zones
        if zone not in down
    ]
    against = state.no_new or (None if up else "no other zone is up")
    shift = Offer(
        Rung.SHIFT, f"{', '.join(down)} is down, {', '.join(up)} not", against=against
    )
    return (shift,)


def _undecided(diagnosis: Diagnosis, situation: Situation) -> Refusal:
    return situation.refuse(
        Reason.QUORUM, f"{situation.subject.service} is without agreement: {diagnosis}"
    )


def _blind(diagnosis: Diagnosis, situation: Situation) -> Refusal:
    blind = diagnosis is Diagnosis.BLIND
    return Refusal(
        reason=Reason.BLIND if blind else Reason.EVIDENCE_MISSING,
        detail="our own eyes are closed" if blind else "the samples do not agree",
        subject=situation.subject.key,
    )
