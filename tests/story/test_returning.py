"""
Members that were left without requests and are well again get them back within seconds, and nobody else does.
"""

from __future__ import annotations

import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState, Diagnosis
from healing import returning
from tests.story.clinic import Clinic

ALL = [f"demo-shop-web-{slot}-g1" for slot in range(4)]


@pytest.fixture
def clinic(tmp_path):
    """
    A deployed service.
    """
    return Clinic(tmp_path)


def all_down(clinic, behaviour=Behaviour.HANG):
    """
    Everything is down, every case is given up, two members have weight 0.
    """
    for name in ALL:
        clinic.cloud.break_instance(name, behaviour)
        clinic.alert(name)
    clinic.heal()
    assert sorted(clinic.members().values()) == [0, 0, 1, 1]


def watch(clinic, rounds):
    """
    So many rounds of the healer's own reading, four seconds apart; cases that it opened, treated.
    """
    closed = []
    for _ in range(rounds):
        clinic.settle(4)
        clinic.view.refresh()
        closed += clinic.heal(clinic.admissions.notice(clinic.view.sightings()))
    return closed


def test_after_everything_was_down_all_get_their_requests_back(clinic):
    """
    All answer again: the members left out are examined, given their weight back and watched, in seconds and without a timer.
    """
    all_down(clinic)
    for name in ALL:
        clinic.cloud.mend(name)
    began = clinic.clock.now()
    closed = watch(clinic, 6)

    assert set(clinic.members().values()) == {1}
    assert [case.state for case in closed] == [CaseState.RECOVERED] * 2
    weights = [call for call in clinic.cloud.calls if call.name == "set_weight"]
    assert max((c.at - began).total_seconds() for c in weights) < 30
    assert clinic.changes() == []


def test_who_is_still_down_stays_out(clinic):
    """
    The load balancer's word alone gives nobody requests back: our own probes have to be answered, twice.
    """
    all_down(clinic)
    watch(clinic, 3)

    assert sorted(clinic.members().values()) == [0, 0, 1, 1]


def test_who_is_left_out_by_a_deploy_is_left_to_it(clinic):
    """
    A drained member of a service that somebody works on is that somebody's.
    """
    clinic.cloud.set_weight(
        "demo-shop-lb", "demo-shop-web", ALL[0], 0, deadline_seconds=9
    )
    with_lease = clinic.store.leases.acquire(
        "demo/shop", holder="a deploy", purpose="deploy", ttl_seconds=600
    )
    assert watch(clinic, 3) == []
    clinic.store.leases.release(with_lease)
    (case,) = watch(clinic, 2)

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.NOTHING)


@pytest.mark.parametrize(
    ("diagnosis", "plain"),
    [
        (None, True),
        (Diagnosis.HUNG, True),
        (Diagnosis.GONE, True),
        (Diagnosis.ZONE_DOWN, True),
        (Diagnosis.NOTHING, True),
        (Diagnosis.GREY_ERRORS, False),
        (Diagnosis.GREY_SLOW, False),
        (Diagnosis.UNKNOWN, False),
        (Diagnosis.FLAPPING, False),
    ],
)
def test_only_what_is_plainly_over_is_over_at_once(diagnosis, plain):
    """
    A member that fails some requests answers some probes well: it waits for the slot's rest.
    """
    assert returning.is_plain(diagnosis) is plain
