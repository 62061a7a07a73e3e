"""
Signs that name no member: a load balancer in ERROR, a budget that burns while every member is well.
"""

import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState, Diagnosis, Subject
from tests.story.clinic import BALANCER, Clinic
from tests.story.test_causes import saturated


def test_a_load_balancer_in_error_is_noticed(tmp_path):
    """
    No alert tells of it while it goes on balancing: two readings of the cloud do. A failover would cost users what they have: a person decides.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_load_balancer(BALANCER)
    clinic.view.refresh()
    assert clinic.admissions.notice(clinic.view.sightings()) == ()
    clinic.view.refresh()
    (case,) = clinic.heal(clinic.admissions.notice(clinic.view.sightings()))

    assert (case.state, case.diagnosis) == (CaseState.PAGED, Diagnosis.BALANCER)
    assert clinic.changes() == []


def test_a_load_balancer_in_error_that_is_dead_is_failed_over(tmp_path):
    """
    In ERROR, and nobody gets through: its own failover mends both, and nothing is seen any more.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.silence_load_balancer(BALANCER)
    clinic.cloud.break_load_balancer(BALANCER)
    clinic.view.refresh()
    clinic.view.sightings()
    clinic.view.refresh()
    (case,) = clinic.heal(clinic.admissions.notice(clinic.view.sightings()))

    assert (case.state, case.diagnosis) == (CaseState.RECOVERED, Diagnosis.BALANCER)
    assert clinic.changes() == ["failover_load_balancer"]
    clinic.view.refresh()
    clinic.view.refresh()
    assert clinic.view.sightings() == ()


@pytest.mark.parametrize("sick", [True, False])
def test_a_fault_that_begins_while_an_earlier_case_ends_is_not_forgotten(
    tmp_path, sick
):
    """
    Its alert is taken for the earlier fault's, which was healed. It fires on, and our own probes fail: a case of its own. Where they are answered well, the
    alert is an old one.
    """
    clinic = Clinic(tmp_path)
    name = "demo-shop-web-0-g1"
    clinic.cloud.break_instance(name, Behaviour.KILL)
    clinic.settle()
    clinic.alert(name)
    (first,) = clinic.heal()
    assert first.state is CaseState.RECOVERED
    clinic.view.refresh()
    clinic.alert("demo-shop-web-0-g2")
    assert first.closed_at is not None
    known = first.model_copy(update={"closed_at": clinic.clock.now(), "subject": of(2)})
    clinic.store.cases.put(known)
    assert clinic.admissions.sort() == ()
    if sick:
        clinic.cloud.break_instance("demo-shop-web-0-g2", Behaviour.GREY_ERRORS)
    clinic.settle(61)
    woken = clinic.admissions.remind()

    assert [case.subject.instance for case in woken] == (
        ["demo-shop-web-0-g2"] if sick else []
    )


def of(generation):
    """
    The first slot's subject.
    """
    return Subject(
        platform="demo",
        service="shop",
        group="web",
        slot=0,
        instance=f"demo-shop-web-0-g{generation}",
    )


def burn(clinic):
    """
    An alert about the service as a whole.
    """
    record = clinic.alert("demo-shop-web-0-g1", "BudgetBurnMinute", tier="burn")
    labels = {k: v for k, v in record.labels.items() if k not in {"group", "slot"}} | {
        "instance_name": ""
    }
    other = record.model_copy(
        update={"key": "burn", "fingerprint": "b", "labels": labels}
    )
    clinic.store.inbox.assign([record.key], "none")
    clinic.store.inbox.put([other])


def test_a_burning_budget_without_a_culprit_is_looked_at_as_a_whole(tmp_path):
    """
    Every member is well and users suffer: one case looks at what is around them. Here it is load.
    """
    clinic = saturated(tmp_path, count_max=8)
    clinic.store.inbox.assign([r.key for r in clinic.store.inbox.pending()], "none")
    burn(clinic)
    (case,) = clinic.heal()

    assert (case.diagnosis, case.state) == (Diagnosis.SATURATED, CaseState.RECOVERED)


def test_a_burn_that_is_over_touches_nothing(tmp_path):
    """
    Nobody stands out and nothing is wrong any more: the case says so, and a second one waits its rest.
    """
    clinic = Clinic(tmp_path)
    burn(clinic)
    (case,) = clinic.heal()

    assert (case.diagnosis, case.state) == (Diagnosis.NOTHING, CaseState.RECOVERED)
    assert clinic.changes() == []
