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
LISTENER = "demo-shop-http"
GUARD = "demo-shop-web"


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


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        pytest.param(
            LISTENER,
            {"connection_limit": 5},
            f"{LISTENER}: connection_limit is 5 and should be none",
            id="a-listener's-connection-limit",
        ),
        pytest.param(
            LISTENER,
            {"timeout_member_data_ms": 50_000},
            f"{LISTENER}: timeout_member_data_ms is 50000 and should be 2000",
            id="a-listener's-time-out",
        ),
        pytest.param(
            LISTENER,
            {"pool": None},
            f"{LISTENER}: pool is none and should be {POOL}",
            id="a-listener's-pool",
        ),
        pytest.param(
            POOL,
            {"algorithm": "SOURCE_IP"},
            f"{POOL}: algorithm is SOURCE_IP and should be ROUND_ROBIN",
            id="a-pool's-algorithm",
        ),
        pytest.param(
            POOL,
            {"check_delay_seconds": 30},
            f"{POOL}: check_delay_seconds is 30 and should be 1",
            id="a-check's-delay",
        ),
        pytest.param(
            POOL,
            {"check": None},
            f"{POOL}: check is none and should be HTTP",
            id="a-deleted-check",
        ),
        pytest.param(
            GUARD,
            {"rules": ["tcp 22 from anywhere"]},
            "it lets in tcp 22 from anywhere, which nobody asked for",
            id="a-security-group's-rules",
        ),
    ],
)
def test_a_single_setting_is_put_back_and_told(clinic, name, changes, said):
    """
    One setting that somebody changed by hand is as it should be after the timer, the case says what it was, and no instance is touched.
    """
    before = {i.name: i.id for i in clinic.cloud.inventory("demo").instances}
    clinic.cloud.tamper(name, **changes)
    foreseen = deployment.preview(clinic.workshop, clinic.platform).prediction
    assert foreseen.seconds > 0
    _, (case,) = drift.reconcile(clinic.workshop)

    assert (case.diagnosis, case.state) == (Diagnosis.DRIFT, CaseState.RECOVERED)
    assert said in case.verdict
    assert any(said in one for one in case.evidence["repaired"])
    assert case.opened_at <= case.first_action_at <= case.closed_at
    assert drift.reconcile(clinic.workshop)[1] == ()
    assert {i.name: i.id for i in clinic.cloud.inventory("demo").instances} == before


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
