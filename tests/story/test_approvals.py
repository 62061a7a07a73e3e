"""
What cannot be undone waits for a person: asked, answered, too late, and asked anew.
"""

from datetime import timedelta

import pytest

from flows import consenting
from flows.healer_beds import Beds
from fournines.cloud.simulated import Behaviour
from fournines.model.approval import ApprovalState
from fournines.model.case import CaseState
from fournines.model.refusal import Reason
from tasks import leasing
from tests.story.clinic import Clinic, a_service

SICK = "demo-shop-web-0-g1"


@pytest.fixture
def clinic(tmp_path):
    """
    A service of one member with a volume, which serves badly: to move its volume it must be stopped first.
    """
    service = a_service(count=1, min_healthy=1)
    group = service.groups[0].model_copy(update={"volume_size_gb": 10})
    clinic = Clinic(tmp_path, service=service.model_copy(update={"groups": (group,)}))
    clinic.cloud.break_instance(SICK, Behaviour.GREY_ERRORS, sticky=True)
    return clinic


def asked(clinic: Clinic):
    """
    The case that an alert opens, as it is left when it asks.
    """
    clinic.alert(SICK, "MemberErrors")
    (case,) = clinic.heal()
    return case


def answer(clinic: Clinic, state: ApprovalState, case_id: str) -> None:
    """
    A person answers.
    """
    clinic.store.approvals.decide(
        case_id, state, by="ann", why="", at=clinic.clock.now()
    )


def test_the_last_serving_member_is_not_taken_without_a_word(clinic):
    """
    The case waits; nothing is touched and no lease is held meanwhile, and whoever looks in again changes nothing.
    """
    case = asked(clinic)

    assert CaseState.AWAITING is case.state
    assert (clinic.members(), clinic.changes()) == ({SICK: 1}, [])
    assert clinic.store.leases.current(leasing.of_service("demo", "shop")) is None
    (request,) = clinic.store.approvals.waiting()
    assert request.case_id == case.id
    assert "nothing else serves" in request.sentence()
    assert case.plan_id is None
    clinic.settle(60)
    assert clinic.treat(case) == case
    assert clinic.store.approvals.waiting() == (request,)


def test_approved_it_is_done(clinic):
    """
    The world is read anew, the plan is the same, and it is performed.
    """
    case = asked(clinic)
    answer(clinic, ApprovalState.APPROVED, case.id)
    closed = clinic.treat(case)

    assert CaseState.RECOVERED is closed.state, closed.verdict
    assert "approved" in {event.event for event in closed.events}
    assert clinic.members() == {"demo-shop-web-0-g2": 1}


def test_rejected_it_is_not_done_nor_asked_again_at_once(clinic):
    """
    A no closes the case; the next case for the same plan does not ask again.
    """
    case = asked(clinic)
    answer(clinic, ApprovalState.REJECTED, case.id)
    closed = clinic.treat(case)

    assert CaseState.REFUSED is closed.state
    assert Reason.APPROVAL in {refusal.reason for refusal in closed.refusals}
    assert "rejected by ann" in closed.verdict
    clinic.settle(61)
    clinic.view.refresh()
    (again,) = clinic.heal(clinic.admissions.remind())
    assert CaseState.REFUSED is again.state
    assert clinic.store.approvals.waiting() == ()
    assert (clinic.members(), clinic.changes()) == ({SICK: 1}, [])


def test_silence_is_a_no_at_the_deadline(clinic):
    """
    Until the deadline it waits, then the policy's answer counts.
    """
    case = asked(clinic)
    clinic.settle(1799)
    assert consenting.waiting(clinic.workshop, case)
    clinic.settle(1)
    closed = clinic.treat(case)

    assert CaseState.REFUSED is closed.state
    assert "the deadline" in closed.verdict
    assert clinic.changes() == []


def test_a_policy_may_take_silence_for_a_yes(tmp_path):
    """
    `approval_default: approved`.
    """
    limits = {"approval_default": "approved", "approval_seconds": 60}
    service = a_service(count=1, min_healthy=1, limits=limits)
    group = service.groups[0].model_copy(update={"volume_size_gb": 10})
    clinic = Clinic(tmp_path, service=service.model_copy(update={"groups": (group,)}))
    clinic.cloud.break_instance(SICK, Behaviour.GREY_ERRORS, sticky=True)
    case = asked(clinic)
    clinic.settle(60)

    assert CaseState.RECOVERED is clinic.treat(case).state


def test_who_recovers_while_it_waits_needs_no_word(clinic):
    """
    After a yes the world has changed: it is well, nothing is done.
    """
    case = asked(clinic)
    clinic.cloud.mend(SICK)
    clinic.settle(30)
    answer(clinic, ApprovalState.APPROVED, case.id)
    closed = clinic.treat(case)

    assert CaseState.RECOVERED is closed.state
    assert (clinic.members(), clinic.changes()) == ({SICK: 1}, [])


def test_another_plan_is_asked_about_anew(clinic):
    """
    A yes to yesterday's plan is no yes to today's: a word counts for the plan it was given to.
    """
    case = asked(clinic)
    (first,) = clinic.store.approvals.waiting()
    service = clinic.platform.service("shop")
    group = service.groups[0].model_copy(update={"flavor": "m1.small"})
    clinic.store.registry.put_service(
        service.model_copy(update={"groups": (group,)}), at=clinic.clock.now()
    )
    answer(clinic, ApprovalState.APPROVED, case.id)
    left = clinic.treat(case)

    assert CaseState.AWAITING is left.state
    (second,) = clinic.store.approvals.waiting()
    assert second.digest != first.digest
    assert clinic.changes() == []


def test_a_waiting_case_takes_no_bed_and_goes_on_when_answered(clinic):
    """
    The healer passes it by until there is an answer, also after a restart; then it is admitted like any other.
    """
    case = asked(clinic)
    treated = []
    beds = Beds(clinic.workshop, lambda case_id: treated.append(case_id) or case)
    assert (beds.adopt(), treated) == (0, [])

    clinic.clock.advance(timedelta(minutes=30).total_seconds())
    assert beds.adopt() == 1
    beds._threads.shutdown(wait=True)
    assert treated == [case.id]
