"""
Healing members of a stateful service: onto their volume and address, one at a time, never below the quorum.
"""

from __future__ import annotations

import pytest

from blueprints import lifecycles
from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState, Diagnosis
from fournines.model.refusal import Reason
from tasks import leasing, membership
from tests.story.clinic import Clinic, a_service

SLOTS = tuple(f"demo-shop-web-{slot}" for slot in range(3))


@pytest.fixture
def clinic(tmp_path):
    """
    A quorum of three that are all well.
    """
    service = a_service(count=3, min_healthy=1)
    group = service.groups[0].model_copy(
        update={"identity": "ordinal", "volume_size_gb": 1}
    )
    service = service.model_copy(
        update={"blueprint": lifecycles.QUORUM, "groups": (group,)}
    )
    clinic = Clinic(tmp_path, service=service)
    clinic.operator.asked.clear()
    assert all(m.settled for m in view(clinic).members)
    return clinic


def view(clinic):
    """
    What the service says of itself.
    """
    inventory = clinic.cloud.inventory("demo")
    found = membership.views(clinic.workshop, clinic.platform, inventory)
    return found["shop", "web"]


def fail_over(clinic):
    """
    Time for the service to help itself, and a look in between, as it has.
    """
    for _ in range(10):
        clinic.settle(1)
        view(clinic)


@pytest.mark.parametrize("behaviour", [Behaviour.KILL, Behaviour.HANG])
@pytest.mark.parametrize("leads", [False, True])
def test_a_sick_member_comes_back_onto_what_is_its_own(clinic, behaviour, leads):
    """
    The service itself has another leader; the sick member comes back with its address and volume, and is a full member before the case closes.
    """
    leader = view(clinic).leader
    slot = leader if leads else next(s for s in SLOTS if s != leader)
    before = view(clinic).member(slot)
    clinic.cloud.break_instance(before.instance, behaviour, sticky=True)
    fail_over(clinic)
    assert view(clinic).leader != (slot if leads else None)

    clinic.alert(before.instance)
    (case,) = clinic.heal()

    after = view(clinic).member(slot)
    assert case.state is CaseState.RECOVERED, case.verdict
    assert after.settled
    assert after.address == before.address
    assert clinic.cloud.world.volumes[slot].status == "in-use"
    assert len(clinic.cloud.world.instances) == 3
    assert clinic.plan_is_empty()


def test_a_grey_leader_hands_over_before_it_goes(clinic):
    """
    A leader that hurts users and still votes is asked to hand over first.
    """
    leader = view(clinic).leader
    sick = view(clinic).member(leader).instance
    clinic.cloud.break_instance(sick, Behaviour.GREY_ERRORS, sticky=True)
    clinic.settle(1)
    clinic.alert(sick, "MemberErrors")
    (case,) = clinic.heal()

    assert case.state is CaseState.RECOVERED, case.verdict
    assert ("leave", leader) in clinic.operator.asked
    assert view(clinic).leader != leader
    assert all(m.settled for m in view(clinic).members)


def test_the_second_voter_stays(clinic):
    """
    While one is gone, another that merely serves badly keeps its vote: the case says QUORUM, and nothing was changed.
    """
    leader = view(clinic).leader
    gone, grey = (s for s in SLOTS if s != leader)
    clinic.cloud.break_instance(view(clinic).member(gone).instance, Behaviour.KILL)
    sick = view(clinic).member(grey).instance
    clinic.cloud.break_instance(sick, Behaviour.GREY_ERRORS, sticky=True)
    fail_over(clinic)
    clinic.cloud.calls.clear()

    clinic.alert(sick, "MemberErrors")
    (case,) = clinic.heal()

    assert Reason.QUORUM in {r.reason for r in case.refusals}
    assert case.state is CaseState.REFUSED
    assert clinic.changes() == []
    assert view(clinic).votes == 2


def test_silence_keeps_a_living_member(clinic):
    """
    Nobody says how the members are: whoever may be alive stays.
    """
    sick = f"{SLOTS[1]}-g1"
    clinic.cloud.break_instance(sick, Behaviour.GREY_ERRORS, sticky=True)
    clinic.operator.silent = True
    clinic.settle(1)
    clinic.alert(sick, "MemberErrors")
    (case,) = clinic.heal()

    assert Reason.EVIDENCE_MISSING in {r.reason for r in case.refusals}
    assert clinic.changes() == []


def test_a_pooler_that_died_is_its_members_business(clinic):
    """
    The server runs, votes and answers, and its clients do not get in: its member hands over and is restarted, and no load balancer is failed over.
    """
    slot = view(clinic).leader
    instance = view(clinic).member(slot).instance
    clinic.operator.shut(instance)
    clinic.cloud.calls.clear()

    clinic.alert(instance)
    (case,) = clinic.heal()

    assert case.state is CaseState.RECOVERED, case.verdict
    assert case.diagnosis is Diagnosis.OUTSIDE
    assert view(clinic).member(slot).settled
    assert view(clinic).member(slot).instance == instance
    assert ("leave", slot) in clinic.operator.asked
    assert "fail_over_load_balancer" not in clinic.changes()


def test_without_a_quorum_a_person_is_called(clinic):
    """
    Two of three hang and may be alive: nothing is taken away from them, and the case says why.
    """
    sick = [view(clinic).member(slot).instance for slot in SLOTS[:2]]
    for name in sick:
        clinic.cloud.break_instance(name, Behaviour.HANG, sticky=True)
    clinic.settle(3)
    clinic.cloud.calls.clear()

    clinic.alert(sick[0])
    (case,) = clinic.heal()

    assert case.diagnosis is Diagnosis.QUORUM_LOST, case.verdict
    assert case.state is CaseState.PAGED
    assert Reason.QUORUM in {r.reason for r in case.refusals}
    assert clinic.cloud.world.instances.keys() >= set(sick)


def test_who_only_calls_a_person_waits_for_nobody(clinic):
    """
    A deploy holds the service meanwhile: a page changes nothing, so it goes out once the looks agree, not when the deploy is over.
    """
    sick = [view(clinic).member(slot).instance for slot in SLOTS[:2]]
    for name in sick:
        clinic.cloud.break_instance(name, Behaviour.HANG, sticky=True)
    clinic.settle(3)
    begun = clinic.clock.now()

    with leasing.holding(
        clinic.workshop, [leasing.of_service("demo", "shop")], purpose="deploy of shop"
    ):
        clinic.alert(sick[0])
        (case,) = clinic.heal()

    assert case.state is CaseState.PAGED, case.verdict
    assert case.diagnosis is Diagnosis.QUORUM_LOST
    assert (case.closed_at - begun).total_seconds() < 60


def test_what_the_cloud_calls_dead_is_brought_back_without_a_quorum(clinic):
    """
    Two of three are shut off: each comes back onto its volume, and the service has its quorum again.
    """
    dead = [view(clinic).member(slot).instance for slot in SLOTS[:2]]
    for name in dead:
        clinic.cloud.break_instance(name, Behaviour.KILL)
    # Until the cloud itself has noticed, they may be alive.
    clinic.settle(60)
    fail_over(clinic)
    for name in dead:
        clinic.alert(name)
    cases = clinic.heal()

    assert {case.state for case in cases} == {CaseState.RECOVERED}, [
        case.verdict for case in cases
    ]
    assert all(m.settled for m in view(clinic).members)
