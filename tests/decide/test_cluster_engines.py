"""
Engines that ask what a stateful service says of itself: their table, and that none of them ever takes away what may be the last.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.case import Diagnosis
from fournines.model.cluster import Role, Standing
from fournines.model.refusal import Reason
from fournines.model.transaction import Transaction
from healing import ladder
from healing.diagnosis.kinds import has_a_say
from healing.rungs import Rung
from tests.decide.cluster_world import a_member, a_view, dead
from tests.decide.slot_world import NOW, an_instance
from tests.decide.test_diagnosis import evidence
from tests.decide.test_engines_around import a_scene, explained, front
from tests.decide.test_quorum_brake import stateful

A, B, C = (f"demo-shop-web-{n}" for n in range(3))
WELL = evidence((200, 200), (200, 200))
HUNG = evidence(("silent",) * 2, ("silent",) * 2, operating_status="ERROR")
SHUT = evidence(("silent",) * 2, ("silent",) * 2, instance_status="SHUTOFF")
CUT = evidence(("unreachable",) * 2, ("unreachable",) * 2)
QUIET = "a/1:w b/2:w c/3:w"
WHOLE = a_view(a_member(A), a_member(B), a_member(C), leader=B)


def scene(view, picture=QUIET, **known):
    """
    The surroundings of slot 0 in a cluster that says this of itself.
    """
    return a_scene(picture, stateful=True, cluster=view, **known)


def tries(*good: bool, age_seconds: float = 1.0):
    """
    Our last transactions.
    """
    return tuple(
        Transaction(
            at=NOW - timedelta(seconds=age_seconds),
            ok=one,
            seconds=0.1,
            error="" if one else "no answer",
        )
        for one in good
    )


ROWS = [
    pytest.param(WELL, scene(WHOLE), Diagnosis.NOTHING, id="all-is-well"),
    pytest.param(
        HUNG,
        scene(a_view(dead(A), a_member(B), a_member(C), leader=B), "a/1:s b/2:w c/3:w"),
        Diagnosis.HUNG,
        id="one-of-three-hangs",
    ),
    pytest.param(
        HUNG,
        scene(a_view(dead(A), dead(B), a_member(C), leader=C), "a/1:s b/2:s c/3:w"),
        Diagnosis.QUORUM_LOST,
        id="two-of-three-hang",
    ),
    pytest.param(
        CUT,
        scene(a_view(dead(A), dead(B), a_member(C), leader=None), "a/1:s b/2:s c/3:w"),
        Diagnosis.QUORUM_LOST,
        id="two-of-three-are-cut-off-and-may-live",
    ),
    pytest.param(
        SHUT,
        scene(a_view(dead(A), dead(B), a_member(C), leader=C), "a/1:s b/2:b c/3:w"),
        Diagnosis.GONE,
        id="what-the-cloud-calls-dead-is-brought-back",
    ),
    pytest.param(
        HUNG,
        scene(None, "a/1:s b/2:b c/3:w"),
        Diagnosis.QUORUM_LOST,
        id="nobody-says-anything-and-most-are-unwell",
    ),
    pytest.param(
        HUNG,
        scene(None, "a/1:s b/2:w c/3:w"),
        Diagnosis.HUNG,
        id="nobody-says-anything-and-most-are-well",
    ),
    pytest.param(
        WELL,
        scene(
            a_view(
                a_member(A, role=Role.PRIMARY),
                a_member(B, role=Role.PRIMARY),
                a_member(C),
                leader=A,
            )
        ),
        Diagnosis.SPLIT_VIEW,
        id="two-take-the-writes",
    ),
    pytest.param(
        WELL,
        scene(WHOLE.model_copy(update={"split": "b was cut off from others"})),
        Diagnosis.SPLIT_VIEW,
        id="the-service-says-that-it-is-split",
    ),
    pytest.param(
        WELL,
        scene(a_view(a_member(A), a_member(B), a_member(C), leader=None)),
        Diagnosis.NO_LEADER,
        id="nobody-leads",
    ),
    pytest.param(
        HUNG,
        scene(
            a_view(dead(A), a_member(B), a_member(C), leader=None), "a/1:s b/2:w c/3:w"
        ),
        Diagnosis.HUNG,
        id="nobody-leads-because-this-one-hangs",
    ),
    pytest.param(
        WELL,
        scene(
            a_view(*(a_member(s, role=Role.PEER) for s in (A, B, C)), leader=None),
        ),
        Diagnosis.NOTHING,
        id="peers-need-no-leader",
    ),
    pytest.param(
        WELL,
        scene(a_view(dead(A), a_member(B), a_member(C), leader=B)),
        Diagnosis.OUTSIDE,
        id="it-answers-and-is-called-stopped",
    ),
    pytest.param(
        WELL,
        scene(a_view(a_member(A, votes=False), a_member(B), a_member(C), leader=B)),
        Diagnosis.OUTSIDE,
        id="it-runs-and-has-no-vote",
    ),
    pytest.param(
        WELL,
        scene(
            a_view(
                a_member(A, state=Standing.STARTING, in_sync=False),
                a_member(B),
                a_member(C),
                leader=B,
            )
        ),
        Diagnosis.NOTHING,
        id="it-is-on-its-way",
    ),
    pytest.param(
        WELL,
        scene(
            a_view(
                a_member(A, in_sync=False, lag_bytes=200 * 2**20),
                a_member(B),
                a_member(C),
                leader=B,
            )
        ),
        Diagnosis.LAGGING,
        id="far-behind",
    ),
    pytest.param(
        WELL,
        scene(
            a_view(
                a_member(A, in_sync=False, lag_bytes=2**20),
                a_member(B),
                a_member(C),
                leader=B,
            )
        ),
        Diagnosis.NOTHING,
        id="a-little-behind",
    ),
    pytest.param(
        WELL,
        scene(WHOLE, tried=tries(True, False, False), balancer=front()),
        Diagnosis.BALANCER,
        id="the-endpoint-fails-and-the-cluster-is-well",
    ),
    pytest.param(
        WELL,
        scene(WHOLE, tried=tries(False, False, True), balancer=front()),
        Diagnosis.NOTHING,
        id="the-endpoint-failed-a-moment-ago",
    ),
    pytest.param(
        WELL,
        scene(WHOLE, tried=tries(False, False, age_seconds=60), balancer=front()),
        Diagnosis.NOTHING,
        id="nobody-has-tried-for-long",
    ),
    pytest.param(
        WELL,
        scene(a_view(a_member(A, shut="its pooler refuses"), a_member(B), a_member(C))),
        Diagnosis.OUTSIDE,
        id="its-clients-do-not-get-in",
    ),
    pytest.param(
        WELL,
        scene(
            a_view(a_member(A), a_member(B, shut="its pooler refuses"), a_member(C)),
            tried=tries(False, False),
            balancer=front(),
        ),
        Diagnosis.NOTHING,
        id="the-endpoint-fails-for-another-members-pooler",
    ),
    pytest.param(
        WELL,
        scene(
            a_view(a_member(A), dead(B), a_member(C), leader=C),
            tried=tries(False, False),
            balancer=front(),
        ),
        Diagnosis.NOTHING,
        id="the-endpoint-fails-while-a-member-is-away",
    ),
]


@pytest.mark.parametrize(("seen", "surroundings", "diagnosis"), ROWS)
def test_what_a_cluster_shows(seen, surroundings, diagnosis):
    """
    Row by row; what may pass by itself is looked at again before it stands.
    """
    found = explained(seen, surroundings)

    assert found.diagnosis is diagnosis
    assert found.saw
    patient = {
        Diagnosis.QUORUM_LOST,
        Diagnosis.SPLIT_VIEW,
        Diagnosis.NO_LEADER,
        Diagnosis.OUTSIDE,
        Diagnosis.LAGGING,
        Diagnosis.BALANCER,
    }
    assert found.again is (diagnosis in patient)


@pytest.mark.parametrize(
    "diagnosis", [Diagnosis.QUORUM_LOST, Diagnosis.SPLIT_VIEW, Diagnosis.NO_LEADER]
)
def test_a_cluster_that_cannot_decide_is_a_persons_business(diagnosis):
    """
    No rung but the page is taken, and the refusal says why; what only time cures holds it up for nobody.
    """
    choice = ladder.choose(diagnosis, stateful(WHOLE))

    assert choice.rung is Rung.PAGE
    assert [r.reason for r in choice.refusals] == [Reason.QUORUM]
    assert not has_a_say(Reason.COOL_DOWN, diagnosis)
    assert has_a_say(Reason.SWITCHED_OFF, diagnosis)


@pytest.mark.parametrize("diagnosis", [Diagnosis.OUTSIDE, Diagnosis.LAGGING])
def test_a_member_that_is_none_is_made_one(diagnosis):
    """
    Restarted where its volume would have to move, else replaced: one rung after the other.
    """
    situation = stateful(WHOLE, volume_size_gb=1, unwell=0, weight=1)
    first = ladder.choose(diagnosis, situation)
    second = ladder.choose(diagnosis, situation, failed=(Rung.RESTART,))

    assert (first.rung, second.rung) == (Rung.RESTART, Rung.REPLACE)


SEEN = st.sampled_from([WELL, HUNG, CUT])
MEMBERS = st.sampled_from(
    [
        {},
        {"votes": False},
        {"state": Standing.STOPPED, "votes": False, "in_sync": False},
        {"state": Standing.STARTING, "in_sync": False},
        {"in_sync": False, "lag_bytes": 2**30},
    ]
)


@given(SEEN, st.tuples(MEMBERS, MEMBERS, MEMBERS), st.sampled_from([A, B, C, None]))
def test_without_a_quorum_nothing_that_may_live_is_taken_away(seen, changes, leader):
    """
    Whatever its members say: while fewer vote than must, a member that the cloud does not call dead is left where it is.
    """
    view = a_view(
        *(a_member(s, **c) for s, c in zip((A, B, C), changes, strict=True)),
        leader=leader,
    )
    picture = "a/1:w b/2:w c/3:w" if seen is WELL else "a/1:s b/2:w c/3:w"
    found = explained(seen, scene(view, picture))
    situation = stateful(view, instances=(an_instance(0),))
    choice = ladder.choose(found.diagnosis, situation)

    if not view.has_quorum:
        assert choice.rung in {Rung.PAGE, Rung.WATCH}
