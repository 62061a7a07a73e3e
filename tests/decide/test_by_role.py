"""
Pools that ask for a role: who fails their check may be well.
"""

from __future__ import annotations

import pytest

from flows import places
from fournines.model.desired import Membership
from fournines.model.inventory import Member
from fournines.planning.pools import as_judged, gets_requests
from healing import first_action
from healing.first_action import WeightZero
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
