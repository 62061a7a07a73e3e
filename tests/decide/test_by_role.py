"""
Pools that ask for a role: who fails their check may be well.
"""

from __future__ import annotations

import dataclasses

import pytest

from flows import places
from fournines.model.desired import Membership
from fournines.model.inventory import Member
from fournines.model.refusal import Reason, Refusal
from fournines.planning.pools import as_judged, gets_requests
from fournines.planning.steps import JoinPool, SetWeight
from healing import first_action, plan
from healing.first_action import WeightZero
from healing.ladder import Choice
from healing.rungs import Rung
from healing.situation import pool_member
from tests.decide.slot_world import a_situation, name


def a_member(status: str) -> Member:
    """
    A member of which the load balancer says this.
    """
    return Member(
        id="m",
        name="a",
        address="10.0.0.1",
        port=5432,
        weight=1,
        operating_status=status,
    )


def places_of(*roles):
    """
    Memberships in pools by role.
    """
    return tuple(
        Membership(load_balancer="lb", pool=f"p-{role}", port=1, role=role)
        for role in roles
    )


@pytest.mark.parametrize(
    ("status", "roles", "judged"),
    [
        pytest.param("ERROR", [None], "ERROR", id="down-is-down"),
        pytest.param(
            "ERROR", ["primary"], "NO_MONITOR", id="down-by-role-says-nothing"
        ),
        pytest.param(
            "OFFLINE", ["replica"], "NO_MONITOR", id="not-yet-checked-by-role"
        ),
        pytest.param("ONLINE", ["primary"], "ONLINE", id="up-is-up"),
        pytest.param("DRAINING", ["primary"], "DRAINING", id="drained-is-drained"),
        pytest.param(
            "ERROR", ["primary", "replica"], "ERROR", id="down-in-every-role-is-down"
        ),
        pytest.param("STANDBY", ["primary", "replica"], "STANDBY", id="standing-by"),
    ],
)
def test_what_a_pools_word_is_worth(status, roles, judged):
    """
    Only good news is believed of pools that ask for one role alone; where each role has its pool, who answers in none is sick.
    """
    member = as_judged(a_member(status), places_of(*roles))

    assert member.operating_status == judged
    assert gets_requests(member) == (judged in {"ONLINE", "NO_MONITOR", "STANDBY"})


def by_role(status: str):
    """
    A group whose pool asks for the primary, all but the first member DOWN there.
    """
    situation = a_situation(unwell=0, size=3, weight=1)
    balancer = situation.inventory.load_balancers[0]
    pool = balancer.pools[0]
    members = tuple(
        m.model_copy(update={"operating_status": "ONLINE" if not n else status})
        for n, m in enumerate(pool.members)
    )
    pool = pool.model_copy(update={"members": members})
    balancer = balancer.model_copy(update={"pools": (pool,)})
    inventory = situation.inventory.model_copy(update={"load_balancers": (balancer,)})
    place = situation.group.memberships[0].model_copy(update={"role": "primary"})
    group = situation.group.model_copy(update={"memberships": (place,)})
    return group, inventory


def test_healing_counts_replicas_as_serving():
    """
    Evidence, picture and first moves see members of which nobody says anything bad: a sick one may be drained while they are there.
    """
    group, inventory = by_role("ERROR")
    found = pool_member(inventory, group, name(1))
    members = places.members(group, inventory)

    assert found is not None
    assert found[2].operating_status == "NO_MONITOR"
    assert [m.operating_status for m in members] == ["ONLINE", *["NO_MONITOR"] * 2]
    decided = first_action.decide(name(0), members, min_healthy=2, suspects=())
    assert decided == WeightZero(name(0), 1)


def test_no_first_move_in_a_pool_of_one_role():
    """
    The one that serves in its role has no other beside it: its weight stays, and the pool's check moves its users when the service gives the role on.
    """
    group, inventory = by_role("ERROR")
    members = places.members(group, inventory)
    decided = first_action.decide(
        name(0), members, min_healthy=1, suspects=(), follows_role=True
    )

    assert isinstance(decided, Refusal)
    assert decided.reason is Reason.MIN_HEALTHY


TWO_WAYS_IN = ("demo-shop-rw", "demo-shop-ro")


def with_two_pools(*weights):
    """
    A sick member with a volume of its own in two pools, with these weights there; None: it is not in that pool.
    """
    situation = a_situation(size=3, volume_size_gb=1)
    place = situation.group.memberships[0]
    places_ = tuple(place.model_copy(update={"pool": pool}) for pool in TWO_WAYS_IN)
    (balancer,) = situation.inventory.load_balancers
    (pool,) = balancer.pools
    pools = tuple(
        pool.model_copy(
            update={
                "name": noun,
                "members": tuple(
                    member.model_copy(update={"weight": weight or 0})
                    for member in pool.members
                    if weight is not None or member.name != name(0)
                ),
            }
        )
        for noun, weight in zip(TWO_WAYS_IN, weights, strict=True)
    )
    front = balancer.model_copy(update={"pools": pools})
    return dataclasses.replace(
        situation,
        group=situation.group.model_copy(update={"memberships": places_}),
        inventory=situation.inventory.model_copy(update={"load_balancers": (front,)}),
    )


def test_every_way_in_is_closed_before_a_restart():
    """
    Weight 0 in each pool, and weight again in each.
    """
    choice = Choice(rung=Rung.RESTART, why="", drain=True)
    steps = plan.make(choice, with_two_pools(1, 1), case_id="c").steps
    weights = [(s.pool, s.weight) for s in steps if isinstance(s, SetWeight)]

    assert weights == [
        *((pool, 0) for pool in TWO_WAYS_IN),
        *((pool, 1) for pool in TWO_WAYS_IN),
    ]


@pytest.mark.parametrize(
    ("weights", "given", "joined"),
    [
        pytest.param((0, 0), TWO_WAYS_IN, (), id="left-out-of-both"),
        pytest.param((1, 0), TWO_WAYS_IN[1:], (), id="left-out-of-the-second"),
        pytest.param((0, None), TWO_WAYS_IN[:1], TWO_WAYS_IN[1:], id="not-in-it"),
        pytest.param((1, 1), (), (), id="in-both"),
    ],
)
def test_who_is_well_gets_back_every_way_in(weights, given, joined):
    """
    Its weight where that was taken, its place where it has none.
    """
    choice = Choice(rung=Rung.WATCH, why="")
    steps = plan.make(choice, with_two_pools(*weights), case_id="c").steps

    assert tuple(s.pool for s in steps if isinstance(s, SetWeight)) == given
    assert tuple(s.pool for s in steps if isinstance(s, JoinPool)) == joined
