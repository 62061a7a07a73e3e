"""
Somebody changes or deletes what is ours: the timer repairs it and a case says what; a dead worker's leftovers are no drift.
"""

import pytest

from flows import drift
from fournines.model.case import CaseState, Diagnosis
from fournines.planning.plan import Purpose
from tasks import deployment
from tests.story.clinic import BALANCER, POOL, Clinic

MEMBER = "demo-shop-web-2-g1"


@pytest.fixture
def clinic(tmp_path):
    """
    A service as it was asked for.
    """
    return Clinic(tmp_path)


def test_what_was_deleted_is_put_back_and_told(clinic):
    """
    A member taken out of its pool by hand is back after the timer, and the case names the step.
    """
    clinic.cloud.leave_pool(BALANCER, POOL, [MEMBER], deadline_seconds=9)
    _, (case,) = drift.reconcile(clinic.workshop)

    assert (case.diagnosis, case.state) == (Diagnosis.DRIFT, CaseState.RECOVERED)
    assert case.subject.key == "demo/shop"
    assert any(step.startswith("join-pool/") for step in case.evidence["plan"])
    assert clinic.store.cases.case(case.id) == case
    assert clinic.members()[MEMBER] == 1
    assert drift.reconcile(clinic.workshop)[1] == ()


def test_nothing_changed_is_no_drift(clinic):
    """
    The timer that finds all as it should be opens nothing.
    """
    found, cases = drift.reconcile(clinic.workshop)

    assert [one.ok for one in found] == [True]
    assert cases == ()


def test_what_a_dead_worker_left_is_no_drift(clinic):
    """
    A deploy that died half-way is finished by the timer: nobody changed anything.
    """
    clinic.cloud.vanish(MEMBER)
    plan, _ = deployment.plan(clinic.workshop, clinic.platform)
    left = plan.model_copy(update={"purpose": Purpose.DEPLOY})
    clinic.store.journal.open_plan(left, holder="dead", at=clinic.clock.now())
    _, cases = drift.reconcile(clinic.workshop)

    assert cases == ()
    assert clinic.plan_is_empty()
