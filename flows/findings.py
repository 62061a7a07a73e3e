"""
What an examination found, written into the case: diagnosis, evidence, the cause it shares with others, the console.
"""

from __future__ import annotations

import contextlib
from functools import partial

from pydantic import JsonValue

from flows import case_text, remedies
from flows.case_book import CaseBook
from flows.examination import Examination
from flows.ward import Ward
from fournines.cloud.errors import CloudError
from fournines.model.case import CaseState
from fournines.store.protocol import StoreError


def write_down(ward: Ward, book: CaseBook, seen: Examination) -> None:
    """
    The finding becomes the case's diagnosis, and its evidence is kept and shown.
    """
    met = seen.situation.subject
    changes: dict[str, object] = {"subject": met} if met.instance else {}
    if book.case.state in {CaseState.OPEN, CaseState.ACTING}:
        # Whoever takes an acting case over and looks anew has not asked the brakes yet.
        changes["state"] = CaseState.DIAGNOSED
    told = seen.finding
    with ward.gate:
        book.change(
            "diagnosed",
            f"{told.diagnosis.value}: {told.saw}",
            diagnosis=told.diagnosis,
            **changes,
            **remedies.common_cause(ward, book.case, told),
        )
    before = "before" not in book.case.evidence
    kept: dict[str, JsonValue] = {
        "before" if before else "again": seen.evidence.model_dump(mode="json")
    }
    book.keep(**kept)
    if before and met.instance:
        # Beside the way: people want it afterwards, nobody decides by it.
        ward.workshop.crew.beside(
            "console", partial(_keep_console, ward, book, met.instance)
        )
    book.show("evidence", lambda: case_text.evidence_of(seen))
    if seen.evidence.operating_status in {"ERROR", "OFFLINE"}:
        book.first("out_of_pool_at", seen.evidence.at)


def _keep_console(ward: Ward, book: CaseBook, instance: str) -> None:
    try:
        tail = ward.workshop.cloud.console(instance, lines=20)
    except CloudError as error:
        tail = f"not to be had: {error}"
    with contextlib.suppress(StoreError):
        if not book.case.state.ended:
            book.keep(console=tail)
