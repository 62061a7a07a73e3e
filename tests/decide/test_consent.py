"""
Which plans need a person's word.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.desired import HealingLimits
from fournines.planning.plan import Plan, Purpose
from fournines.planning.steps import (
    AwaitServing,
    DeleteInstance,
    DeleteResource,
    LeavePool,
    RestartInstance,
    SetWeight,
)
from healing import consent
from healing import plan as planning
from healing.ladder import Choice, Rung
from tests.decide.slot_world import NOW, a_situation, name

LB = {"load_balancer": "demo-shop-lb", "pool": "demo-shop-web"}


def a_plan(*steps) -> Plan:
    """
    A plan of these steps.
    """
    return Plan(
        id="heal-c-x", purpose=Purpose.HEAL, platform="demo", made_at=NOW, steps=steps
    )


def weight_zero(slot: int, *needs: str) -> SetWeight:
    """
    A member gets no requests any more.
    """
    return SetWeight(id=f"w{slot}", instance=name(slot), weight=0, needs=needs, **LB)


def restart(slot: int, *needs: str) -> RestartInstance:
    """
    A member is restarted.
    """
    return RestartInstance(id=f"r{slot}", instance=name(slot), needs=needs)


def serving(*instances: str) -> AwaitServing:
    """
    Others are waited for.
    """
    return AwaitServing(id="a", instances=instances, **LB)


VOLUME = DeleteResource(id="d", resource="volume", name="demo-shop-web-0")


@pytest.mark.parametrize(
    ("steps", "size", "asked"),
    [
        pytest.param((), 4, (), id="nothing"),
        pytest.param((restart(0),), 4, (), id="one-of-four"),
        pytest.param((restart(0), restart(1)), 4, (), id="half-is-not-more-than-half"),
        pytest.param(
            (restart(0), restart(1), restart(2)), 4, ("3 of 4",), id="three-of-four"
        ),
        pytest.param((VOLUME,), 4, ("deletes the volume",), id="data"),
        pytest.param((restart(0),), 1, ("nothing else serves",), id="the-only-one"),
        pytest.param(
            (weight_zero(0), weight_zero(1)),
            2,
            ("nothing else serves",),
            id="weights-of-all-together",
        ),
        pytest.param((weight_zero(0),), 2, (), id="another-one-serves"),
        pytest.param(
            (serving(name(0, 2)), weight_zero(0, "a"), restart(0, "w0")),
            1,
            (),
            id="its-successor-serves-first",
        ),
        pytest.param(
            (serving(name(0, 2)), restart(0)),
            1,
            ("nothing else serves",),
            id="nobody-waits-for-the-successor",
        ),
        pytest.param(
            (serving(name(0)), restart(0, "a")),
            1,
            ("nothing else serves",),
            id="waiting-for-itself-is-no-help",
        ),
        pytest.param(
            (
                LeavePool(id="l", instances=("demo-other-web-0-g1",), **LB),
                DeleteInstance(id="x", instance="demo-other-web-1-g1"),
            ),
            2,
            (),
            id="others-are-not-counted",
        ),
    ],
)
def test_reasons(steps, size, asked):
    """
    Data, much of a group, and the last serving member are a person's matter; nothing else is.
    """
    situation = a_situation(unwell=0, size=size, weight=1)
    found = consent.reasons(a_plan(*steps), situation)

    assert len(found) == len(asked)
    assert all(part in said for part, said in zip(asked, found, strict=True))


@pytest.mark.parametrize(
    ("share", "asked"), [(0.0, True), (0.5, True), (0.75, False), (1.0, False)]
)
def test_the_share_is_the_groups_policy(share, asked):
    """
    Three of four members are more than a half and not more than three quarters.
    """
    situation = a_situation(
        unwell=0, weight=1, limits=HealingLimits(approval_share=share)
    )

    assert asked == bool(
        consent.reasons(a_plan(restart(0), restart(1), restart(2)), situation)
    )


@given(
    size=st.integers(1, 6),
    unwell=st.integers(0, 6),
    weight=st.integers(0, 1),
    volume=st.booleans(),
    drain=st.booleans(),
)
def test_a_replacement_asks_only_if_it_stops_the_last_one(
    size, unwell, weight, volume, drain
):
    """
    Healing's everyday plan never needs a word, except where a volume must leave the only serving member first.
    """
    situation = a_situation(
        size=size,
        unwell=min(unwell, size),
        weight=weight,
        volume_size_gb=10 if volume else None,
    )
    choice = Choice(rung=Rung.REPLACE, why="test", drain=drain)
    plan = planning.make(choice, situation, case_id="c")
    serves = situation.member.serving
    stops_first = volume or drain

    asked = bool(consent.reasons(plan, situation))

    assert asked == (serves and stops_first and situation.others_serving == 0)
    assert asked == consent.takes_the_last(plan, situation)


def test_the_same_deed_has_the_same_digest():
    """
    Neither the case, nor a weight that somebody set meanwhile, nor the moment changes what a person agreed to; the instance does.
    """
    choice = Choice(rung=Rung.REPLACE, why="test", drain=True)
    first = planning.make(choice, a_situation(weight=1), case_id="c")
    again = planning.make(choice, a_situation(weight=0), case_id="d")
    other = planning.make(choice, a_situation(subject_slot=1), case_id="c")

    assert first.id != again.id
    assert consent.digest(first) == consent.digest(again)
    assert consent.digest(first) != consent.digest(other)
