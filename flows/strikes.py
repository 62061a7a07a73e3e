"""
Sick replacements, counted per build in the store: the second one puts the build into quarantine.
"""

from __future__ import annotations

from flows.case_book import CaseBook
from fournines.model.desired import instance_digest
from fournines.model.quarantine import Quarantine, Strike
from fournines.store.protocol import Store
from healing.situation import Situation
from tasks.outcome import Outcome


def learn(
    store: Store,
    book: CaseBook,
    situation: Situation,
    outcome: Outcome,
    instance: str,
    *,
    good: bool | None,
) -> None:
    """
    What a replacement says about its build. One that could not be looked at (`good` None) says nothing, nor does a plan
    that broke off before it was to serve.
    """
    if good:
        forget(store, situation)
    elif any(step.startswith("await-serving/") for step in outcome.failed) or (
        outcome.ok and good is False
    ):
        count(store, book, situation, instance)


def count(store: Store, book: CaseBook, situation: Situation, instance: str) -> None:
    """
    A replacement never served.
    """
    case = book.case
    build = _build(store, situation)
    strike = Strike(instance=instance, case=case.id, at=situation.now)
    struck = build.struck(strike)
    store.quarantines.put(struck)
    if struck.held_at is not None and build.held_at is None:
        book.note("quarantined", struck.sentence())


def forget(store: Store, situation: Situation) -> None:
    """
    A replacement of this build serves: earlier ones were chance. What is in quarantine stays there until a person releases it.
    """
    build = _build(store, situation)
    if build.strikes and build.held_at is None:
        store.quarantines.release(build.key)


def _build(store: Store, situation: Situation) -> Quarantine:
    group = situation.group
    image = next((i for i in situation.inventory.images if i.name == group.image), None)
    fresh = Quarantine(
        digest=instance_digest(group),
        image=group.image,
        image_id=image.id if image else "",
        place=f"{situation.service.platform}/{situation.service.name}/{group.name}",
    )
    known = {one.key: one for one in store.quarantines.all()}
    return known.get(fresh.key, fresh)
