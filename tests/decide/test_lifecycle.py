"""
The rules of any quorum: who may go, in which order, and when the next may.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints import lifecycles
from blueprints.lifecycle import QuorumRules
from fournines.model.cluster import Standing
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
from tests.decide.stored_values import a_service

RULES = QuorumRules()


@pytest.mark.parametrize(
    ("view", "slot", "reason", "words"),
    [
        pytest.param(a_view(), B, None, "", id="all-are-well"),
        pytest.param(a_view(), A, None, "", id="the-primary-with-an-heir"),
        pytest.param(
            a_view(a_member(A), a_member(B), dead(C)),
            B,
            Reason.QUORUM,
            "without demo-db-pg-1 1 of 3 members of db would vote, and 2 must",
            id="one-is-dead-already",
        ),
        pytest.param(
            a_view(a_member(A), a_member(B), dead(C)), C, None, "", id="the-dead-one"
        ),
        pytest.param(
            a_view(a_member(A), dead(B), dead(C), leader=None),
            C,
            None,
            "",
            id="a-dead-one-below-the-quorum-takes-no-vote-with-it",
        ),
        pytest.param(
            a_view(a_member(A), behind(B), a_member(C)),
            C,
            Reason.QUORUM,
            "one at a time: demo-db-pg-1 has not caught up, 1000 bytes behind, so "
            "demo-db-pg-2 stays",
            id="another-is-catching-up",
        ),
        pytest.param(
            a_view(a_member(A), behind(B), a_member(C)),
            B,
            None,
            "",
            id="the-one-that-is-behind",
        ),
        pytest.param(
            a_view(
                a_member(A),
                a_member(B, is_voter=False, votes=False),
                a_member(C, state=Standing.STARTING, in_sync=False),
            ),
            A,
            Reason.QUORUM,
            "without demo-db-pg-0 1 of 2 members of db would vote, and 2 must",
            id="who-does-not-vote-does-not-count",
        ),
        pytest.param(
            a_view(*(a_member(s) for s in (A, B, C, D)), dead(E)),
            B,
            Reason.QUORUM,
            "one at a time: demo-db-pg-4 is stopped, so demo-db-pg-1 stays",
            id="enough-votes-and-another-is-away",
        ),
        pytest.param(
            a_view(a_member(A)), A, Reason.QUORUM, "0 of 1", id="the-only-one"
        ),
        pytest.param(
            a_view(at=NOW - timedelta(seconds=31)),
            B,
            Reason.EVIDENCE_MISSING,
            "what db says of itself is 31 s old",
            id="a-view-of-yesterday",
        ),
        pytest.param(
            a_view(at=NOW - timedelta(seconds=30)), B, None, "", id="just-fresh-enough"
        ),
        pytest.param(a_view(), "demo-db-pg-7", None, "", id="nobody-knows-it"),
    ],
)
def test_who_may_leave(view, slot, reason, words):
    """
    Never below the quorum, one at a time, the writer only with an heir, and nothing on an old view.
    """
    refusal = RULES.may_leave(view, slot, NOW)

    assert (refusal.reason if refusal else None) == reason
    assert words in (refusal.detail if refusal else "")


def test_the_writer_stays_without_an_heir():
    """
    Rules that let several be away at once still keep the one that has everything.
    """

    class Lenient(QuorumRules):
        def _another_unsettled(self, view, slot):
            return None

    refusal = Lenient().may_leave(a_view(a_member(A), behind(B), behind(C)), A, NOW)

    assert refusal is not None
    assert refusal.reason is Reason.QUORUM
    assert "no other member has all of them" in refusal.detail


@pytest.mark.parametrize(
    ("view", "order"),
    [
        pytest.param(a_view(), (B, C, A), id="replicas-before-the-primary"),
        pytest.param(
            a_view(a_member(A), a_member(B), dead(C)), (C, B, A), id="the-dead-first"
        ),
        pytest.param(
            a_view(a_member(A), behind(B, 5), behind(C, 9)),
            (C, B, A),
            id="the-furthest-behind-before-others",
        ),
        pytest.param(a_view(leader=None), (A, B, C), id="no-leader-known"),
    ],
)
def test_order(view, order):
    """
    Whoever is missed least goes first, the leader last.
    """
    assert RULES.order(view, (A, B, C)) == order


def test_order_begins_with_who_is_not_in_the_cluster():
    """
    A slot that the cluster does not know can wait for nobody.
    """
    assert RULES.order(a_view(), (A, D, B)) == (D, B, A)


@pytest.mark.parametrize(
    ("member", "why"),
    [
        pytest.param(a_member(B), "", id="all-it-should-be"),
        pytest.param(dead(B), "demo-db-pg-1 is stopped", id="stopped"),
        pytest.param(
            a_member(B, state=Standing.STARTING, detail="base backup"),
            "demo-db-pg-1 is starting (base backup)",
            id="starting",
        ),
        pytest.param(a_member(B, votes=False), "demo-db-pg-1 does not vote", id="mute"),
        pytest.param(
            a_member(B, is_voter=False, votes=False), "", id="no-voter-need-not-vote"
        ),
        pytest.param(
            behind(B, 7), "demo-db-pg-1 has not caught up, 7 bytes behind", id="behind"
        ),
        pytest.param(
            a_member(B, in_sync=False, lag_bytes=None),
            "demo-db-pg-1 has not caught up",
            id="nobody-says-how-far-behind",
        ),
    ],
)
def test_settled(member, why):
    """
    The next may leave only when this one runs, votes and has everything.
    """
    view = a_view(a_member(A), member, a_member(C))

    assert RULES.is_settled(view, B) == why
    assert member.settled == (not why)


def test_a_stranger_is_not_settled():
    """
    Who is no member is not all it should be.
    """
    assert RULES.is_settled(a_view(), D) == "demo-db-pg-3 is not a member of db"


@pytest.mark.parametrize(
    ("count", "words", "forcible"),
    [
        pytest.param(0, "one member at least", False, id="none"),
        pytest.param(1, "every fault is an outage", True, id="one-alone"),
        pytest.param(2, "2 members decide nothing when one is lost", False, id="two"),
        pytest.param(3, "", None, id="three"),
        pytest.param(4, "4 members stand no more losses than 3", False, id="four"),
        pytest.param(5, "", None, id="five"),
    ],
)
def test_sizes(count, words, forcible):
    """
    Odd numbers from three on; one alone needs a person's word, two are always a mistake.
    """
    problem = RULES.size_problem(count)

    assert (problem.forcible if problem else None) == forcible
    assert words in (problem.sentence if problem else "")


def test_services_without_a_quorum_may_be_even():
    """
    A template says what holds for it.
    """
    assert QuorumRules(odd=False).size_problem(4) is None


@given(
    st.lists(st.sampled_from([a_member, dead, behind]), min_size=1, max_size=7),
    st.integers(0, 6),
)
def test_no_leave_costs_the_quorum(kinds, leaving):
    """
    Law: whoever is let go, a cluster that could decide still can.
    """
    slots = [f"demo-db-pg-{n}" for n in range(len(kinds))]
    view = a_view(
        *(kind(slot) for kind, slot in zip(kinds, slots, strict=True)), leader=None
    )
    slot = slots[leaving % len(slots)]

    if view.has_quorum and RULES.may_leave(view, slot, NOW) is None:
        assert view.votes_without(slot) >= view.quorum


def test_cattle_has_no_rules():
    """
    Only ordinal groups of a template with rules have a lifecycle.
    """
    web = a_service()
    quorum = web.model_copy(update={"blueprint": lifecycles.QUORUM})
    ordinal = web.groups[0].model_copy(update={"identity": "ordinal"})

    assert lifecycles.of(web, ordinal) is None
    assert lifecycles.of(quorum, web.groups[0]) is None
    assert lifecycles.of(quorum, ordinal) is not None
