"""
Healing goes first: when a deploy waits, and when it never does.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.case import Case, CaseState, Subject
from fournines.model.refusal import Reason
from fournines.model.specification import MemberSpec
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import (
    DeleteInstance,
    DeleteResource,
    Drain,
    JoinPool,
    LeavePool,
    RestartInstance,
    SetWeight,
)
from healing import precedence
from healing.precedence import BURN_AGE_MAX, Burn
from tests.decide.slot_world import NOW, name

LB = {"load_balancer": "demo-shop-lb", "pool": "demo-shop-web"}
JOIN = JoinPool(id="j", members=(MemberSpec(instance=name(4), port=80),), **LB)
LEAVE = LeavePool(id="l", instances=(name(0),), **LB)
WEIGHT = SetWeight(id="w", instance=name(0), weight=0, **LB)


def a_plan(*steps, purpose=Purpose.DEPLOY) -> Plan:
    """
    A plan of these steps.
    """
    return Plan(id="p", purpose=purpose, platform="demo", made_at=NOW, steps=steps)


def a_case(state: CaseState) -> Case:
    """
    A case of the shop.
    """
    subject = Subject(platform="demo", service="shop", group="web", slot=1)
    return Case(id="case-1", subject=subject, opened_at=NOW, state=state)


def burning(minutes: float = 1) -> Burn:
    """
    A burn that began so long ago.
    """
    return Burn(alert="BudgetBurnMinute", began_at=NOW - timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("plan", "known", "reason"),
    [
        pytest.param(a_plan(LEAVE), {}, None, id="calm"),
        pytest.param(
            a_plan(LEAVE), {"burns": (burning(),)}, Reason.BURNING, id="burning"
        ),
        pytest.param(
            a_plan(JOIN), {"burns": (burning(),)}, None, id="adding-may-always-go"
        ),
        pytest.param(
            a_plan(LEAVE), {"burns": (burning(60),)}, None, id="an-old-burn-is-no-news"
        ),
        pytest.param(
            a_plan(LEAVE),
            {"burns": (burning(),), "insist": True},
            None,
            id="a-person-insists",
        ),
        pytest.param(
            a_plan(LEAVE, purpose=Purpose.SCALE),
            {"burns": (burning(),)},
            Reason.BURNING,
            id="scaling-in",
        ),
        pytest.param(
            a_plan(LEAVE, purpose=Purpose.RECONCILE),
            {"burns": (burning(),)},
            Reason.BURNING,
            id="the-timer-goes-on-with-no-roll",
        ),
        pytest.param(
            a_plan(LEAVE, purpose=Purpose.HEAL),
            {"burns": (burning(),)},
            None,
            id="healing-does-not-wait-for-itself",
        ),
        pytest.param(
            a_plan(LEAVE, purpose=Purpose.DESTROY),
            {"burns": (burning(),)},
            None,
            id="destroying-ends-it",
        ),
        pytest.param(
            a_plan(LeavePool(id="l", instances=("demo-other-web-0-g1",), **LB)),
            {"burns": (burning(),)},
            None,
            id="another-service-is-changed",
        ),
        pytest.param(
            a_plan(LEAVE),
            {"cases": (a_case(CaseState.ACTING),)},
            Reason.BUSY,
            id="a-case-acts",
        ),
        pytest.param(
            a_plan(LEAVE),
            {"cases": (a_case(CaseState.VERIFYING),)},
            Reason.BUSY,
            id="a-case-watches",
        ),
        pytest.param(
            a_plan(LEAVE),
            {"cases": (a_case(CaseState.DIAGNOSED),)},
            None,
            id="a-case-that-waits-alone-holds-nobody-up",
        ),
    ],
)
def test_gives_way(plan, known, reason):
    """
    A plan that takes members away waits for healing and for a burn's end.
    """
    facts = {"burns": (), "cases": (), "now": NOW} | known
    found = precedence.gives_way(plan, "shop", **facts)

    assert reason == (found.reason if found else None)


@pytest.mark.parametrize(
    ("step", "takes"),
    [
        pytest.param(WEIGHT, True, id="weight-0"),
        pytest.param(
            WEIGHT.model_copy(update={"weight": 1}), False, id="weight-given-back"
        ),
        pytest.param(LEAVE, True, id="leave"),
        pytest.param(Drain(id="d", instance=name(0)), True, id="drain"),
        pytest.param(RestartInstance(id="r", instance=name(0)), True, id="restart"),
        pytest.param(DeleteInstance(id="x", instance=name(0)), True, id="delete"),
        pytest.param(
            DeleteResource(id="y", resource="load-balancer", name="demo-shop-lb"),
            True,
            id="delete-the-load-balancer",
        ),
        pytest.param(JOIN, False, id="join"),
    ],
)
def test_takes_away(step, takes):
    """
    Each kind of step either takes something out of use or does not.
    """
    assert takes == precedence.takes_away(a_plan(step), "shop")


@given(
    purpose=st.sampled_from(Purpose),
    minutes=st.lists(st.floats(0, 120), max_size=3),
    states=st.lists(st.sampled_from(CaseState), max_size=3),
    adds_only=st.booleans(),
    insist=st.booleans(),
)
def test_who_gives_way_has_a_reason_to(purpose, minutes, states, adds_only, insist):
    """
    Never without a fresh burn or a case at work, never what only adds, never against a person's word.
    """
    plan = a_plan(*((JOIN,) if adds_only else (JOIN, LEAVE)), purpose=purpose)
    found = precedence.gives_way(
        plan,
        "shop",
        burns=tuple(burning(m) for m in minutes),
        cases=tuple(a_case(state) for state in states),
        now=NOW,
        insist=insist,
    )

    at_work = bool({CaseState.ACTING, CaseState.VERIFYING} & set(states))
    fresh = any(timedelta(minutes=m) < BURN_AGE_MAX for m in minutes)
    gives_way = purpose in precedence.GIVING_WAY and not adds_only and not insist
    assert (found is not None) == (gives_way and (at_work or fresh))
