"""
Room for a service that has more to do than it can: batch services of its platform give up their workers first, and the case says so.

The healing of the service goes on after a few seconds, whether they are gone by then or not: what they still run may take minutes.
"""

from __future__ import annotations

import contextlib
from functools import partial

from flows.case_book import CaseBook
from flows.ward import Ward
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.crew import Event
from fournines.model.case import Diagnosis
from fournines.model.desired import Service
from fournines.store.protocol import LeaseHeld, StoreError
from tasks.batch import desk as desks
from tasks.batch import tending, yielding
from tasks.batch.tending import Tended

WAIT_SECONDS = 10.0
"""Workers with nothing to do, or short tasks, are gone by then."""

_log = log.get("batch")


def first(ward: Ward, book: CaseBook) -> None:
    """
    Have every batch service of the platform that yields give up its workers, if the case is one of want of room.
    """
    case = book.case
    if case.diagnosis is not Diagnosis.SATURATED:
        return
    crew = ward.workshop.crew
    platform, name = case.subject.platform, case.subject.service
    waited = []
    for service in yielding.who_can(ward.workshop, platform, name):
        done = crew.event()
        crew.beside("room", partial(_give_up, ward, book, service, done))
        waited.append((service, done))
    for service, done in waited:
        if not done.wait(WAIT_SECONDS):
            text = f"workers of batch service {service.name} are being drained, by policy `yields`; what follows does not wait for them"
            book.note("batch_yields", text, batch=service.name)


def _give_up(ward: Ward, book: CaseBook, service: Service, done: Event) -> None:
    """
    Raises nothing: what goes wrong here stands in the case, and holds nobody up.
    """
    name = book.case.subject.service
    try:
        desk = desks.at(ward.workshop, service)
        said = _told(tending.tend(desk, yields=lambda _desk: name))
    except (CloudError, LeaseHeld) as error:
        said = (
            f"batch service {service.name} should yield, and could not be told: {error}"
        )
    except StoreError as error:
        _log.warning("batch_not_told", service=service.name, error=str(error))
        said = ""
    with contextlib.suppress(StoreError, LeaseHeld):
        if said and not book.case.state.ended:
            book.note("batch_yields", said, batch=service.name)
    done.set()


def _told(tended: Tended) -> str:
    change = f"from {tended.workers} to {tended.wanted}"
    if tended.said:
        return (
            f"batch service {tended.service} should have given up workers, {change}, "
            f"by policy `yields`: {tended.said}"
        )
    return (
        f"workers of batch service {tended.service} drained {change} first, "
        "by policy `yields`"
    )
