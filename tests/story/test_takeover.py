"""
Who takes what over: a dead colleague's cases wait for no bed and for no pause of ours, and a new fault of a healed instance is a case of its own.
"""

import dataclasses
from datetime import timedelta
from threading import Event

import pytest

from flows.case_book import CaseBook, case_right
from flows.healer_beds import Beds
from fournines.model.case import Case, CaseState, Subject
from fournines.store.protocol import LeaseHeld
from tasks import leasing
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"
WAIT_SECONDS = 30


@pytest.fixture
def clinic(tmp_path):
    """
    A service of four members.
    """
    return Clinic(tmp_path)


def a_case(clinic, slot, state, **fields):
    """
    A case about a slot, in the store.
    """
    now = clinic.clock.now()
    subject = Subject(
        platform="demo",
        service="shop",
        group="web",
        slot=slot,
        instance=f"demo-shop-web-{slot}-g1",
    )
    case = Case(
        id=f"case-{slot}",
        subject=subject,
        opened_at=now,
        detected_at=now,
        woken_by=("ProbeFail",),
        state=state,
        **fields,
    )
    clinic.store.cases.put(case)
    return case


def test_what_a_colleague_had_begun_waits_for_no_bed(clinic):
    """
    Every bed is taken by cases that wait for their turn; the case that a dead healer was acting in is taken up all the same.
    """
    full, adopted, over = Event(), Event(), Event()

    def treat(case_id):
        if case_id == begun.id:
            adopted.set()
        else:
            full.set()
            assert over.wait(WAIT_SECONDS)
        return begun

    settings = clinic.workshop.settings.model_copy(update={"heals_at_once_max": 1})
    workshop = dataclasses.replace(clinic.workshop, settings=settings)
    begun = a_case(clinic, 0, CaseState.ACTING)
    beds = Beds(workshop, treat)
    beds.admit(a_case(clinic, 1, CaseState.OPEN).id)
    assert full.wait(WAIT_SECONDS)
    a_case(clinic, 2, CaseState.OPEN)

    assert beds.adopt() == 2
    assert adopted.wait(WAIT_SECONDS)
    over.set()
    beds.close()


def test_a_pause_of_ours_ends_when_a_colleague_takes_the_case(clinic):
    """
    We could not treat it and pause; another healer takes it and dies: we do not sleep on.
    """
    case = a_case(clinic, 0, CaseState.OPEN)
    treated = []
    beds = Beds(clinic.workshop, lambda case_id: treated.append(case_id) or case)
    beds._tries[case.id] = 5
    assert beds.adopt() == 0

    name = leasing.of_case(case.id)
    lease = clinic.store.leases.acquire(
        name, holder="another run 0", purpose="case", ttl_seconds=4
    )
    assert beds.adopt() == 0
    clinic.store.leases.release(lease)
    assert beds.adopt() == 1
    beds._spare.shutdown(wait=True)
    assert treated == [case.id]


def test_a_late_note_of_ours_does_not_write_over_a_colleagues(clinic):
    """
    Our treatment ended and its console comes late: by then the case is a colleague's, and what he wrote stands.
    """
    case = a_case(clinic, 1, CaseState.ACTING)
    name = leasing.of_case(case.id)
    with leasing.holding(clinic.workshop, [name], purpose="healing") as held:
        token = case_right.set(held)
        book = CaseBook(clinic.workshop, case)
        case_right.reset(token)
    theirs = case.model_copy(update={"state": CaseState.VERIFYING})
    clinic.store.cases.put(theirs)

    with pytest.raises(LeaseHeld):
        book.keep(console="late")
    assert clinic.store.cases.case(case.id) == theirs


@pytest.mark.parametrize(
    ("began", "gone", "opened"),
    [
        pytest.param(-5, False, 0, id="an-echo-of-what-was-healed"),
        pytest.param(10, True, 0, id="an-echo-of-the-one-that-was-replaced"),
        pytest.param(10, False, 1, id="a-new-fault-of-the-same-instance"),
    ],
)
def test_an_alert_after_a_recovery(clinic, began, gone, opened):
    """
    What began before the recovery, or is about an instance that is gone, is an echo; a fault that begins afterwards is never lost.
    """
    now = clinic.clock.now()
    a_case(clinic, 1, CaseState.RECOVERED, plan_id="heal-1", closed_at=now)
    if gone:
        clinic.cloud.vanish(SICK)
        clinic.view.refresh()
    clinic.settle(10)
    record = clinic.alert(SICK)
    late = record.model_copy(
        update={
            "key": "the one that counts",
            "starts_at": now + timedelta(seconds=began),
        }
    )
    clinic.store.inbox.put([late])

    clinic.store.inbox.assign([record.key], "none")
    assert len(clinic.admissions.sort()) == opened
