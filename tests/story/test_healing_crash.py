"""
The healer dies anywhere in a healing; the next one adopts the case and ends it: nothing doubled, nothing orphaned, nobody left out.
"""

import pytest

from fournines.cloud.simulated import Behaviour, Fault, FaultKind, Killed
from fournines.model.case import CaseState
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"
CALLS = [
    "inventory",
    "set_weight",
    "ensure_instance",
    "join_pool",
    "pool",
    "leave_pool",
    "delete_instance",
]


def heal_through_crashes(clinic):
    """
    Heal; after every death a new healer wakes and adopts what is open. Returns the case and how often it died.
    """
    deaths = 0
    while True:
        try:
            clinic.heal()
            clinic.heal(clinic.store.cases.cases(open_only=True))
        except Killed:
            deaths += 1
            assert deaths < 10
            clinic.cloud.calm()
            clinic.clock.advance(31)
            clinic.wake()
            continue
        (case,) = clinic.store.cases.cases()
        return case, deaths


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("kind", [FaultKind.KILL_BEFORE, FaultKind.KILL_AFTER])
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_a_call(tmp_path, call, kind, skip):
    """
    Killed before or after each kind of call: the slot has one instance, the pool its four members, the plan is empty.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.settle(1)
    clinic.alert(SICK)
    clinic.cloud.inject(Fault(kind, call=call, skip=skip, times=1))
    case, _deaths = heal_through_crashes(clinic)

    assert case.state is CaseState.RECOVERED
    members = clinic.members()
    assert set(members) == set(clinic.cloud.world.instances)
    assert set(members.values()) == {1}
    assert len(members) == 4
    assert SICK not in members
    assert clinic.plan_is_empty()


@pytest.mark.parametrize("kind", [FaultKind.FAIL_BEFORE, FaultKind.FAIL_AFTER])
def test_calls_that_fail_now_and_then(tmp_path, kind):
    """
    A fifth of all calls fails, with or without effect: the case converges all the same.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_instance(SICK, Behaviour.HANG, sticky=True)
    clinic.cloud.inject(Fault(kind, probability=0.2))
    clinic.alert(SICK)
    case, _deaths = heal_through_crashes(clinic)
    clinic.cloud.calm()

    assert case.state is CaseState.RECOVERED
    assert len(clinic.members()) == len(clinic.cloud.world.instances) == 4
    assert clinic.plan_is_empty()
