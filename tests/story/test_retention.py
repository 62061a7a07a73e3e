"""
Forgetting: what is old and over goes; what is open, unfinished, unsorted or still wanted stays.
"""

from __future__ import annotations

import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.case import Case, Subject
from tasks import retention
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"
DAY = 86_400


@pytest.fixture
def clinic(tmp_path):
    """
    A service with one healed member, and an open case elsewhere.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    clinic.heal()
    clinic.store.cases.put(
        Case(
            id="case-open",
            subject=Subject(platform="demo", service="shop", group="web", slot=3),
            opened_at=clinic.clock.now(),
        )
    )
    return clinic


def test_nothing_young_is_forgotten(clinic):
    """
    What happened just now is all there afterwards.
    """
    assert retention.prune(clinic.workshop) == retention.Forgotten(
        alerts=0, cases=0, plans=0
    )


def test_what_is_over_goes_after_its_time(clinic):
    """
    Plans after a quarter, cases and what still fires after a year; open cases and alerts without a case stay.
    """
    clinic.settle(91 * DAY)
    assert retention.prune(clinic.workshop).plans == 2
    clinic.alert("demo-shop-web-2-g1")
    clinic.settle(400 * DAY)
    gone = retention.prune(clinic.workshop)

    assert (gone.cases, gone.alerts) == (1, 1)
    assert [case.id for case in clinic.store.cases.cases()] == ["case-open"]
    assert len(clinic.store.inbox.pending()) == 1


def test_a_resolved_alert_goes_sooner(clinic):
    """
    Two weeks after it came.
    """
    (record,) = clinic.store.inbox.firing("demo", "shop")
    clinic.store.inbox.put([record.model_copy(update={"status": "resolved"})])
    clinic.store.inbox.assign([record.key], "case-x")
    clinic.settle(15 * DAY)

    assert retention.prune(clinic.workshop).alerts == 1


def test_an_unfinished_plan_is_never_forgotten(clinic):
    """
    Somebody has to take it up, however late.
    """
    closed = next(c for c in clinic.store.cases.cases() if c.plan_id)
    plan = clinic.store.journal.plan(closed.plan_id)
    clinic.store.journal.open_plan(plan, holder="dead", at=clinic.clock.now())
    clinic.settle(1_000 * DAY)
    retention.prune(clinic.workshop)

    assert [p.id for p in clinic.store.journal.unfinished()] == [plan.id]
