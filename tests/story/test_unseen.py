"""
What the cloud's API keeps us from seeing is held against no remedy, no replacement and no build.
"""

import pytest

from flows.case_book import CaseBook
from flows.treatment import Treatment
from fournines.cloud.errors import CloudUnreachable
from fournines.cloud.simulated import Behaviour, Fault, FaultKind
from fournines.model.case import CaseState, Diagnosis
from fournines.model.refusal import Reason
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"
NEW = "demo-shop-web-1-g2"


@pytest.fixture
def clinic(tmp_path):
    """
    A service of four members, one of them hung.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.settle(1)
    clinic.alert(SICK)
    return clinic


def treatment(clinic, opened, *, after="delete-instance", then):
    """
    The case's treatment; once the step `after` is done, `then` happens.
    """

    def perform(step, work):
        done = work()
        if step.kind == after:
            then()
        return done

    return Treatment(clinic.ward, CaseBook(clinic.workshop, opened), performer=perform)


def events(case):
    """
    What happened in a case.
    """
    return [event.event for event in case.events]


def test_a_slow_api_fails_no_remedy(clinic):
    """
    One look whose reading times out takes longer than all patience: the good looks after it are waited for.
    """
    slow = Fault(FaultKind.TIMEOUT_AFTER, call="inventory", times=1)
    (opened,) = clinic.admissions.sort()
    case = treatment(clinic, opened, then=lambda: clinic.cloud.inject(slow)).run()

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.HUNG)
    assert "did_not_help" not in events(case)
    assert case.verdict.startswith("replaced")
    assert clinic.store.quarantines.all() == ()


def test_an_api_that_is_down_leaves_the_case_open(clinic):
    """
    Nothing can be read once the replacement is made: no strike, no rung spent; verified when the API is back, and nothing made twice.
    """
    down = Fault(FaultKind.FAIL_BEFORE, call="inventory")
    (opened,) = clinic.admissions.sort()
    with pytest.raises(CloudUnreachable, match=NEW):
        treatment(clinic, opened, then=lambda: clinic.cloud.inject(down)).run()

    (case,) = clinic.store.cases.cases()
    assert case.state is CaseState.VERIFYING
    assert "did_not_help" not in events(case)
    assert clinic.store.quarantines.all() == ()

    clinic.cloud.calm()
    closed = clinic.treat(case)
    assert closed.state is CaseState.RECOVERED
    assert clinic.changes().count("ensure_instance") == 1
    assert clinic.store.quarantines.all() == ()


def test_closed_eyes_strike_no_build(clinic):
    """
    Our own way to all members is cut while we watch: a person is told that nothing is seen; the replacement and its build keep their name.
    """

    def close() -> None:
        clinic.eyes.closed = True

    (opened,) = clinic.admissions.sort()
    case = treatment(clinic, opened, then=close).run()

    assert case.state is CaseState.PAGED
    assert [refusal.reason for refusal in case.refusals] == [Reason.BLIND]
    assert "not_seen" in events(case)
    assert case.evidence["tried"]["failed"] == []
    assert clinic.store.quarantines.all() == ()
    assert clinic.changes().count("ensure_instance") == 1


def test_a_replacement_that_is_seen_to_fail_is_a_strike(clinic):
    """
    The same moment, with open eyes: the replacement falls ill while it is watched.
    """

    def fall_ill() -> None:
        if NEW in clinic.cloud.world.instances:
            clinic.cloud.break_instance(NEW, Behaviour.ERRORS, sticky=True)

    (opened,) = clinic.admissions.sort()
    case = treatment(clinic, opened, then=fall_ill).run()

    (build,) = clinic.store.quarantines.all()
    assert [strike.instance for strike in build.strikes] == [NEW]
    assert "did_not_help" in events(case)


def test_who_serves_when_time_is_up_may_go_on_serving(clinic):
    """
    The pool is read too slowly for a member to have served long enough in time: that is no failure of the member.
    """
    slow = [
        Fault(FaultKind.TIMEOUT_AFTER, call="pool", times=2),
        Fault(FaultKind.TIMEOUT_AFTER, call="pool", times=2, skip=1),
    ]

    def inject() -> None:
        for fault in slow:
            clinic.cloud.inject(fault)

    (opened,) = clinic.admissions.sort()
    case = treatment(clinic, opened, after="join-pool", then=inject).run()

    assert case.state is CaseState.RECOVERED
    assert "plan_failed" not in events(case)
    assert sum(c.fault is not None for c in clinic.cloud.calls) == 4
    assert clinic.store.quarantines.all() == ()


def test_a_peer_that_was_just_replaced_closes_nobodys_eyes(clinic):
    """
    The view of a moment ago names a member that is gone, and the others hang: its successor answers us, so we can see.
    """
    (opened,) = clinic.admissions.sort()
    assert clinic.treat(opened).state is CaseState.RECOVERED
    for slot in (0, 2, 3):
        clinic.cloud.break_instance(f"demo-shop-web-{slot}-g1", Behaviour.HANG)
    clinic.settle(20)
    clinic.alert("demo-shop-web-0-g1")
    (opened,) = clinic.admissions.sort()
    case = clinic.treat(opened)

    assert case.diagnosis is Diagnosis.HUNG
    assert Reason.STORM in {refusal.reason for refusal in case.refusals}
