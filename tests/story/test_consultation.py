"""
Asked what it would do and why not, the healer answers everything and touches nothing.
"""

import pytest

from flows import consultation
from fournines.cloud.simulated import Behaviour
from fournines.model.case import Diagnosis, Subject
from fournines.model.refusal import Reason
from healing.rungs import Rung
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"
SUBJECT = Subject(platform="demo", service="shop", group="web", slot=1, instance=SICK)


@pytest.fixture
def clinic(tmp_path):
    """
    A service of four members that all serve.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.calls.clear()
    return clinic


def consulted(clinic):
    """
    What the healer says; nothing may have been called that changes anything, and no case is there.
    """
    found = consultation.consult(clinic.ward, SUBJECT)
    assert {call.name for call in clinic.cloud.calls} <= {"inventory", "pool", "quota"}
    assert clinic.store.cases.cases() == ()
    return found


def test_a_sick_member_would_be_replaced(clinic):
    """
    Evidence, brakes, ladder, plan and rehearsal stand in the answer.
    """
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    clinic.settle(5)
    found = consulted(clinic)
    said = "\n".join(consultation.text(found))

    assert found.would_act
    assert (found.seen.finding.diagnosis, found.choice.rung) == (
        Diagnosis.HUNG,
        Rung.REPLACE,
    )
    for word in (
        "none objects",
        "not restart:",
        "ensure-instance/demo-shop-web-1-g2",
        "rehearsed in",
        "would replace now; nothing was touched",
    ):
        assert word in said


def test_why_not_names_the_brakes_and_the_rungs(clinic):
    """
    Switched off and locked: both brakes say so, and nothing would be done.
    """
    clinic.store.switches.set(
        "healing", on=False, by="ops", why="drill", at=clinic.clock.now()
    )
    clinic.cloud.lock_instance(SICK)
    clinic.cloud.break_instance(SICK, Behaviour.HANG)
    found = consulted(clinic)
    said = "\n".join(consultation.text(found, why_not=True))

    assert not found.would_act
    assert [r.reason for r in found.objections] == [Reason.SWITCHED_OFF, Reason.LOCKED]
    assert "switched-off:" in said
    assert "would do nothing by itself now (switched-off, locked)" in said
    assert "\nplan\n" not in said


def test_nothing_wrong_is_an_answer(clinic):
    """
    A member that is well would be left as it is.
    """
    found = consulted(clinic)

    assert not found.would_act
    assert consultation.text(found)[-1].startswith("would do nothing: nothing is wrong")
