"""
The brake of stateful services, row by row.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from blueprints import lifecycles
from fournines.model.case import Diagnosis
from fournines.model.cluster import Standing
from fournines.model.refusal import Reason
from healing import brakes, quorum
from healing.diagnosis.kinds import has_a_say
from tests.decide.cluster_world import a_member, a_view, behind, dead
from tests.decide.slot_world import NOW, a_situation, an_instance, name

A, B, C = (f"demo-shop-web-{n}" for n in range(3))


def stateful(view, **known):
    """
    The situation of slot 0 in a quorum that says this of itself.
    """
    bare = a_situation(size=3, **known)
    group = bare.group.model_copy(update={"identity": "ordinal"})
    service = bare.service.model_copy(
        update={"blueprint": lifecycles.QUORUM, "groups": (group,)}
    )
    if view is not None:
        view = view.model_copy(update={"at": NOW})
    return dataclasses.replace(bare, group=group, service=service, cluster=view)


@pytest.mark.parametrize(
    ("view", "known", "reason"),
    [
        pytest.param(
            a_view(a_member(A), a_member(B), a_member(C), leader=B),
            {},
            None,
            id="the-others-are-enough",
        ),
        pytest.param(
            a_view(dead(A), a_member(B), a_member(C), leader=B), {}, None, id="it-died"
        ),
        pytest.param(
            a_view(a_member(A), dead(B), a_member(C), leader=C),
            {},
            Reason.QUORUM,
            id="another-died-before",
        ),
        pytest.param(
            a_view(a_member(A), behind(B), a_member(C), leader=C),
            {},
            Reason.QUORUM,
            id="another-is-catching-up",
        ),
        pytest.param(
            a_view(
                a_member(A, state=Standing.STARTING, in_sync=False, detail="rewind"),
                a_member(B),
                a_member(C),
                leader=B,
            ),
            {},
            Reason.BUSY,
            id="the-service-brings-it-back-itself",
        ),
        pytest.param(None, {}, Reason.EVIDENCE_MISSING, id="nobody-says-how-it-is"),
        pytest.param(
            None,
            {"instances": (an_instance(0, status="SHUTOFF"),)},
            None,
            id="the-cloud-says-that-it-runs-no-more",
        ),
        pytest.param(None, {"instances": ()}, None, id="it-is-gone"),
    ],
)
def test_quorum(view, known, reason):
    """
    Who may live goes only as the service's own rules allow.
    """
    refusal = quorum.quorum(stateful(view, **known))

    assert (refusal.reason if refusal else None) == reason
    assert refusal is None or refusal.subject == "demo/shop/web/0"


def test_cattle_has_no_quorum():
    """
    A group without a lifecycle is asked nothing.
    """
    assert quorum.quorum(a_situation()) is None


def test_an_old_view_is_no_view():
    """
    What was said minutes ago moves nothing.
    """
    situation = stateful(a_view(a_member(A), a_member(B), a_member(C)))
    old = situation.cluster.model_copy(update={"at": NOW - timedelta(minutes=5)})
    refusal = quorum.quorum(dataclasses.replace(situation, cluster=old))

    assert refusal is not None
    assert refusal.reason is Reason.EVIDENCE_MISSING


def test_the_brake_is_asked_and_time_may_cure_it():
    """
    It is one of the brakes; a case waits for it, and giving a weight back asks it nothing.
    """
    assert quorum.quorum in brakes.BRAKES
    assert Reason.QUORUM in brakes.WAITING
    assert has_a_say(Reason.QUORUM, Diagnosis.HUNG)
    assert not has_a_say(Reason.QUORUM, Diagnosis.NOTHING)
    assert not has_a_say(Reason.QUORUM, Diagnosis.BAD_RELEASE)
    assert name(0) == f"{A}-g1"
