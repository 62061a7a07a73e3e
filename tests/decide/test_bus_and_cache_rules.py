"""
How a message bus and a cache want to be handled: what their rules add to those of any quorum.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints import lifecycles
from blueprints.cache.lifecycle import CacheRules
from blueprints.rabbitmq.lifecycle import BusRules
from fournines.model.cluster import Role, Standing
from fournines.model.refusal import Reason
from tests.decide.cluster_world import (
    NOW,
    A,
    B,
    C,
    D,
    E,
    a_member,
    a_view,
    behind,
    dead,
)

BUS, CACHE = BusRules(), CacheRules()
ALARM = "demo-db-pg-1 is out of memory: publishers are blocked"


def peers(*members):
    """Members of a bus: all alike."""
    return a_view(
        *(m.model_copy(update={"role": Role.PEER}) for m in members), leader=None
    )


@pytest.mark.parametrize(
    ("view", "slot", "words"),
    [
        pytest.param(
            peers(a_member(A), a_member(B), a_member(C)), B, "", id="all-are-well"
        ),
        pytest.param(
            peers(
                a_member(A),
                behind(B).model_copy(update={"lag_bytes": None}),
                a_member(C),
            ),
            C,
            "one at a time: demo-db-pg-1 has not caught up, so demo-db-pg-2 stays",
            id="a-queue-wants-a-replica-elsewhere",
        ),
        pytest.param(
            peers(a_member(A), a_member(B), a_member(C)).model_copy(
                update={"problems": (ALARM,)}
            ),
            C,
            f"{ALARM}; demo-db-pg-2 stays until that is over",
            id="another-is-out-of-memory",
        ),
        pytest.param(
            peers(a_member(A), a_member(B), a_member(C)).model_copy(
                update={"problems": (ALARM,)}
            ),
            B,
            "",
            id="the-one-that-is-out-of-memory",
        ),
        pytest.param(
            peers(a_member(A), a_member(B), dead(C)).model_copy(
                update={"problems": (ALARM,)}
            ),
            C,
            "",
            id="a-dead-one-whatever-rings",
        ),
    ],
)
def test_a_node_of_a_bus_leaves(view, slot, words):
    """
    A node goes alone, while all queues are whole elsewhere and no other node blocks its publishers.
    """
    refusal = BUS.may_leave(view, slot, NOW)

    assert (refusal.detail if refusal else "") == words
    assert refusal is None or refusal.reason is Reason.QUORUM


@pytest.mark.parametrize(
    ("view", "slot", "words"),
    [
        pytest.param(a_view(), A, "", id="the-primary-with-an-heir"),
        pytest.param(a_view(), C, "", id="a-replica"),
        pytest.param(
            a_view(leader=None),
            B,
            "nobody leads db, and demo-db-pg-1 may have to",
            id="nobody-leads",
        ),
        pytest.param(
            a_view(dead(A), a_member(B), a_member(C), leader=None),
            A,
            "",
            id="the-dead-primary",
        ),
    ],
)
def test_a_member_of_a_cache_leaves(view, slot, words):
    """
    Nobody goes while nobody leads, but for the dead.
    """
    refusal = CACHE.may_leave(view, slot, NOW)

    assert (refusal.detail if refusal else "") == words


def test_who_leads_goes_last():
    """
    The node with most queues and the primary are changed last: each leadership moves once.
    """
    assert BUS.order(peers(*map(a_member, (A, B, C))), (A, B, C)) == (A, B, C)
    bus = peers(*map(a_member, (A, B, C))).model_copy(update={"leader": A})
    assert BUS.order(bus, (A, B, C)) == (B, C, A)
    assert CACHE.order(a_view(), (A, B, C)) == (B, C, A)


@pytest.mark.parametrize("name", ["rabbitmq", "cache"])
@pytest.mark.parametrize(
    ("count", "words"),
    [
        (4, "4 members stand no more losses than 3; take 3 or 5"),
        (2, "2 members decide nothing when one is lost; take 3, or 1"),
        (1, "1 of a quorum stands no loss"),
    ],
)
def test_a_size_that_is_no_quorum_is_refused(name, count, words):
    """
    Even numbers and fewer than three are refused with a sentence; one member only when a person insists.
    """
    problem = lifecycles.RULES[name].size_problem(count)

    assert problem is not None
    assert words in problem.sentence
    assert problem.forcible is (count == 1)


STANDINGS = st.sampled_from(["well", "behind", "dead"])
MAKE = {"well": a_member, "behind": behind, "dead": dead}


@given(st.lists(STANDINGS, min_size=3, max_size=5), st.integers(0, 4))
def test_law_never_below_the_quorum(standings, leading):
    """
    Whatever the state, taking away everyone the rules let go, one after the other on fresh views, never leaves fewer votes than the quorum
    once there was one.
    """
    slots = (A, B, C, D, E)[: len(standings)]
    members = {s: MAKE[kind](s) for s, kind in zip(slots, standings, strict=True)}
    leader = slots[leading % len(slots)]
    views = []
    for _ in slots:
        leads = leader if members[leader].running else None
        view = a_view(*members.values(), leader=leads)
        views.append(view)
        for rules in (BUS, CACHE):
            for slot in slots:
                member = view.member(slot)
                if rules.may_leave(view, slot, NOW) is None and member.votes:
                    assert view.votes_without(slot) >= view.quorum
        goers = [s for s in slots if BUS.may_leave(view, s, NOW) is None]
        alive = [s for s in goers if members[s].state is Standing.RUNNING]
        if not alive:
            break
        members[alive[0]] = dead(alive[0])
    for before, after in pairwise(views):
        assert not before.has_quorum or after.has_quorum
