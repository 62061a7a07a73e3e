"""
PostgreSQL's own rules beside those of any quorum, and how Patroni's and etcd's words become a view.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints import lifecycles
from blueprints.lifecycle import QuorumRules
from blueprints.postgres import reading
from blueprints.postgres.lifecycle import RULES
from blueprints.postgres.reading import Place, Votes
from fournines.model.cluster import Role, Standing
from fournines.model.refusal import Reason
from tests.decide.cluster_world import NOW, A, B, C, D, a_member, a_view, behind, dead

HEIR = {"is_heir": True}


@pytest.mark.parametrize(
    ("view", "slot", "words"),
    [
        pytest.param(
            a_view(a_member(A), a_member(B, **HEIR), a_member(C)), A, None, id="heir"
        ),
        pytest.param(
            a_view(),
            A,
            "demo-db-pg-0 takes the writes of db, and no other member is its sync standby",
            id="replicas-that-caught-up-are-no-heirs",
        ),
        pytest.param(
            a_view(a_member(A), a_member(B, **HEIR), a_member(C)),
            B,
            None,
            id="the-heir-itself-may-go",
        ),
        pytest.param(
            a_view(a_member(A), a_member(B, **HEIR), behind(C)),
            A,
            "one at a time: demo-db-pg-2 has not caught up",
            id="another-is-catching-up",
        ),
        pytest.param(
            a_view(a_member(A), a_member(B, **HEIR), dead(C)),
            B,
            "without demo-db-pg-1 1 of 3 members",
            id="a-vote-is-missing",
        ),
        pytest.param(
            a_view(
                a_member(A),
                a_member(B, **HEIR),
                a_member(C),
                a_member(D, is_voter=False, votes=False),
            ),
            D,
            None,
            id="a-replica-without-a-vote",
        ),
    ],
)
def test_may_leave(view, slot, words):
    """The primary goes only when Patroni would let another follow it; for the rest the quorum decides."""
    refusal = RULES.may_leave(view, slot, NOW)

    if words is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.reason is Reason.QUORUM
        assert words in refusal.detail


@given(st.lists(st.sampled_from([*Standing]), min_size=3, max_size=5), st.data())
def test_never_more_than_the_quorum_allows(standings, data):
    """Whatever the members are: who may leave leaves a quorum behind, and a primary an heir."""
    slots = [f"demo-db-pg-{n}" for n in range(len(standings))]
    members = []
    for number, (slot, state) in enumerate(zip(slots, standings, strict=True)):
        running = state is Standing.RUNNING
        members.append(
            a_member(
                slot,
                state=state,
                in_sync=running and data.draw(st.booleans()),
                votes=data.draw(st.booleans()),
                is_voter=number < 3,
                is_heir=data.draw(st.booleans()),
            )
        )
    view = a_view(*members)
    for slot in slots:
        allowed = RULES.may_leave(view, slot, NOW) is None
        assert not allowed or QuorumRules().may_leave(view, slot, NOW) is None
        member = view.member(slot)
        if allowed and member.running and member.role is Role.PRIMARY:
            assert any(
                m.is_heir and m.in_sync and m.running
                for m in view.members
                if m.slot_name != slot
            )


@pytest.mark.parametrize(
    ("count", "words", "forcible"),
    [
        (0, "one member at least", False),
        (1, "stands no loss", True),
        (2, "2 members with synchronous mode take no writes when one is lost", False),
        (3, None, False),
        (4, None, False),
        (7, None, False),
    ],
)
def test_sizes(count, words, forcible):
    """Two are none; an even number is no harm, because replicas beyond the voters do not vote."""
    problem = RULES.size_problem(count)

    if words is None:
        assert problem is None
    else:
        assert words in problem.sentence
        assert problem.forcible is forcible


def test_replicas_go_first():
    """Replicas are changed before the primary, the one furthest behind first."""
    view = a_view(a_member(A), a_member(B, lag_bytes=0), a_member(C, lag_bytes=7))

    assert RULES.order(view, [A, B, C]) == (C, B, A)


def test_the_template_is_known():
    """Planner and healer find these rules under the template's name."""
    assert lifecycles.RULES["postgres"] is RULES


SLOTS = {slot: Place(f"{slot}-g1", f"10.0.0.{n}") for n, slot in enumerate((A, B, C))}
ALL = Votes((A, B, C), frozenset((A, B, C)))


def said(name, role, state="running", timeline=3, **more):
    """A member as Patroni lists it."""
    return {"name": name, "role": role, "state": state, "timeline": timeline, **more}


def seen(*members, votes=ALL, slots=SLOTS, **patroni):
    """The view of what Patroni lists."""
    return reading.view(
        ("demo", "db", "pg"),
        NOW,
        slots,
        {"members": list(members), **patroni},
        votes,
        voters=3,
        synchronous=True,
    )


FINE = (
    said(A, "leader"),
    said(B, "sync_standby", lag=0),
    said(C, "replica", lag=4096),
)


def test_a_cluster_that_is_well():
    """Leader, sync standby and replica; nothing to complain of, and every one may leave."""
    view = seen(*FINE)

    assert [m.role for m in view.members] == [Role.PRIMARY, Role.REPLICA, Role.REPLICA]
    assert all(m.settled for m in view.members)
    assert (view.leader, view.voters, view.quorum, view.problems) == (A, 3, 2, ())
    assert [RULES.may_leave(view, slot, NOW) for slot in (A, B, C)] == [None] * 3


@pytest.mark.parametrize(
    ("member", "state", "in_sync"),
    [
        pytest.param(said(C, "replica", lag=0), "running", True, id="caught up"),
        pytest.param(
            said(C, "replica", "streaming", lag=0), "running", True, id="newer word"
        ),
        pytest.param(
            said(C, "replica", lag=2 << 20), "running", False, id="far behind"
        ),
        pytest.param(
            said(C, "replica", lag="unknown"), "running", False, id="nobody knows"
        ),
        pytest.param(
            said(C, "replica", timeline=2, lag=0), "running", False, id="old timeline"
        ),
        pytest.param(
            said(C, "replica", "creating replica", lag="unknown"),
            "starting",
            False,
            id="cloning",
        ),
        pytest.param(
            said(C, "replica", "start failed", lag="unknown"),
            "stopped",
            False,
            id="does not come up",
        ),
        pytest.param(None, "stopped", False, id="silent, and counted by etcd"),
    ],
)
def test_standings(member, state, in_sync):
    """What Patroni calls a member, and what we make of it."""
    view = seen(*FINE[:2], *([member] if member else []))
    found = view.member(C)

    assert (found.state, found.in_sync) == (state, in_sync)


def test_a_slot_nobody_counts():
    """A replica beyond the voters that Patroni does not list is absent."""
    view = seen(*FINE, slots={**SLOTS, D: Place(None, None)})

    assert view.member(D).state is Standing.ABSENT
    assert not view.member(D).is_voter


def test_votes_are_etcd_s_word():
    """A member may serve well and have no vote: one more fault would be an outage, so nobody else may leave."""
    view = seen(*FINE, votes=Votes((A, B, C), frozenset((A, B))))

    assert view.votes == 2
    assert "does not vote" in RULES.is_settled(view, C)
    assert RULES.may_leave(view, B, NOW).reason is Reason.QUORUM


def test_etcd_that_nobody_can_ask():
    """Without a word from etcd the first members are taken for voters, and none of them votes."""
    view = seen(*FINE, votes=Votes())

    assert (view.voters, view.votes, view.has_quorum) == (3, 0, False)


@pytest.mark.parametrize(
    ("members", "patroni", "problem"),
    [
        (FINE[1:], {}, "no member takes writes"),
        (
            (FINE[0], said(B, "replica", lag=0), FINE[2]),
            {},
            "no member is in sync: writes wait",
        ),
        (FINE, {"pause": True}, "Patroni is paused"),
        (
            (*FINE[:2], {**FINE[2], "pending_restart": True}),
            {},
            "demo-db-pg-2 waits for a restart",
        ),
    ],
)
def test_problems(members, patroni, problem):
    """What the service complains of is one sentence each."""
    (found,) = seen(*members, **patroni).problems

    assert problem in found
