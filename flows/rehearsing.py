"""
A rehearsal before a remedy: what it predicted stands in the case, and beside it what really happened.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.model.refusal import Refusal
from fournines.planning.plan import Plan
from healing import rehearsal
from healing.situation import Situation
from tasks import rehearsal as stage
from tasks.outcome import Outcome

KEPT = "rehearsal"
"""Its name among a case's evidence."""


def broken_law(
    ward: Ward,
    book: CaseBook,
    plan: Plan,
    situation: Situation,
    floors: Mapping[str, int],
) -> tuple[Refusal, bool] | None:
    """
    Rehearse a plan; the law it breaks and whether that is for want of room, or None: go. A plan that only gives weights back is not worth one.
    What the quota leaves was asked before (flows/room.py).
    """
    if all(step.kind == "set-weight" for step in plan.steps):
        return None
    seen = stage.rehearse(
        plan,
        situation.inventory,
        (situation.service,),
        settings=ward.workshop.settings,
        pattern=situation.pattern,
    )
    told: dict[str, JsonValue] = {
        "predicted_seconds": seen.seconds,
        "predicted_budget_seconds": seen.budget_seconds,
    }
    book.keep(**{KEPT: told})
    broken = rehearsal.judge(seen, floors, subject=situation.subject.key)
    if broken is not None:
        return broken, seen.no_room
    book.note("rehearsed", seen.sentence(), **told)
    return None


def compare(book: CaseBook, outcome: Outcome) -> None:
    """
    Beside what was predicted, what it took.
    """
    told = book.case.evidence.get(KEPT)
    if isinstance(told, dict) and outcome.ok:
        book.keep(**{KEPT: told | {"actual_seconds": round(outcome.seconds, 3)}})
