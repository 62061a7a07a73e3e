"""
The law of each brake: whatever else is the case at the same moment, what it stands for is refused for its own reason, with its numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.case import Subject
from fournines.model.desired import instance_digest
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine, Strike
from fournines.model.refusal import Reason
from healing import brakes, ownership, quorum, storms
from healing.brakes import Brake
from healing.situation import Situation
from tests.decide.cluster_world import a_member as a_voter
from tests.decide.cluster_world import a_view
from tests.decide.cluster_world import dead as a_dead_voter
from tests.decide.slot_world import NOW, a_situation, an_instance, attempt, name
from tests.decide.test_quorum_brake import A, B, C, stateful
from tests.decide.test_storms import services, zoned

replaced = dataclasses.replace

Cause = Callable[[Situation], Situation]


def members_of(other: Situation) -> Cause:
    """
    The members, the group and the place of another situation, and no picture that explains them.
    """
    return lambda s: replaced(
        s,
        members=other.members,
        group=other.group,
        instance=other.instance,
        subject=other.subject,
        pattern=None,
    )


def window(situation: Situation) -> Situation:
    """A window of maintenance is open."""
    opened = MaintenanceWindow(begins=NOW, until=NOW + timedelta(hours=1))
    return replaced(
        situation,
        service=situation.service.model_copy(update={"maintenance": (opened,)}),
    )


def held_build(situation: Situation) -> Situation:
    """The group's build is held in quarantine."""
    digest = instance_digest(situation.group)
    strikes = tuple(
        Strike(instance=name(0, generation), case="case-1", at=NOW)
        for generation in (2, 3)
    )
    held = Quarantine(
        digest=digest,
        image=situation.group.image,
        image_id="",
        strikes=strikes,
        held_at=NOW,
    )
    return replaced(situation, quarantines=(held,))


def without_votes(situation: Situation) -> Situation:
    """A stateful service of which another member died before."""
    view = a_view(a_voter(A), a_dead_voter(B), a_voter(C), leader=C)
    other = stateful(view)
    return replaced(
        situation,
        subject=other.subject,
        instance=other.instance,
        service=other.service,
        group=other.group,
        cluster=other.cluster,
    )


def keeps_data(situation: Situation) -> Situation:
    """A group with a volume for each slot, another member of which is not settled."""
    group = situation.group.model_copy(update={"volume_size_gb": 10})
    return replaced(situation, group=group, unsettled=("demo/shop/web/1",))


def nowhere_to_go(situation: Situation) -> Situation:
    """The zone that the group may stand in is down."""
    group = situation.group.model_copy(update={"zones": ("az1",)})
    return replaced(situation, group=group, pattern=zoned("az1"))


PAUSE = Pause(subject=Subject(platform="demo", service="shop"), by="ann", at=NOW)
STRANGER = an_instance(0, owner=None)

HELD: dict[Brake, tuple[Reason, Cause]] = {
    brakes.switched_off: (
        Reason.SWITCHED_OFF,
        lambda s: replaced(s, healing_on=False, switched_by="ann: a test"),
    ),
    brakes.paused: (Reason.PAUSED, lambda s: replaced(s, pauses=(PAUSE,))),
    brakes.unwanted: (
        Reason.STALE,
        lambda s: replaced(s, subject=s.subject.model_copy(update={"slot": 99})),
    ),
    ownership.not_ours: (
        Reason.NOT_OURS,
        lambda s: replaced(s, instance=STRANGER),
    ),
    ownership.locked: (
        Reason.LOCKED,
        lambda s: replaced(s, instance=an_instance(0, locked=True)),
    ),
    brakes.maintenance: (Reason.MAINTENANCE, window),
    storms.platform_storm: (
        Reason.PLATFORM_STORM,
        lambda s: replaced(s, pattern=services(5, 10)),
    ),
    storms.storm: (Reason.STORM, members_of(a_situation(unwell=3))),
    storms.zone_outage: (Reason.ZONE_OUTAGE, nowhere_to_go),
    quorum.quorum: (Reason.QUORUM, without_votes),
    brakes.attempts: (
        Reason.ATTEMPTS,
        lambda s: replaced(s, attempts=(attempt(800), attempt(400), attempt(100))),
    ),
    brakes.busy: (
        Reason.BUSY,
        lambda s: replaced(s, lease_holder="deploy of shop by host:42"),
    ),
    brakes.disruptions: (
        Reason.DISRUPTIONS,
        lambda s: replaced(s, acting=("demo/a/web/1", "demo/b/web/2")),
    ),
    storms.stateful: (Reason.DISRUPTIONS, keeps_data),
    storms.after_the_storm: (
        Reason.CALMING,
        lambda s: replaced(s, storm_at=NOW - timedelta(seconds=1)),
    ),
    brakes.cool_down: (
        Reason.COOL_DOWN,
        lambda s: replaced(s, attempts=(attempt(3),)),
    ),
    brakes.flapping: (
        Reason.FLAPPING,
        lambda s: replaced(
            s, flaps=tuple(NOW - timedelta(seconds=ago) for ago in (30, 20, 10))
        ),
    ),
    brakes.min_healthy: (
        Reason.MIN_HEALTHY,
        members_of(a_situation(unwell=0, size=2, weight=1)),
    ),
    brakes.quarantined: (Reason.QUARANTINE, held_build),
}

ASKED_FOR_ONE_STEP = {brakes.min_healthy, brakes.quarantined}
"""Brakes that are asked before a single rung: a weight, a replacement."""


def test_every_brake_has_its_law():
    """
    A brake that is added and has no law fails here.
    """
    assert HELD.keys() == {*brakes.BRAKES, *ASKED_FOR_ONE_STEP}


@given(data=st.data())
@pytest.mark.parametrize("brake", HELD, ids=[f.__name__ for f in HELD])
def test_a_brake_holds_whatever_else_is_the_case(brake, data):
    """
    Any other brakes' causes may be there too: this one's refusal is among those given, about the subject, with a sentence; nothing else hides it.
    """
    reason, cause = HELD[brake]
    others = data.draw(st.lists(st.sampled_from(list(HELD)), unique=True, max_size=6))
    situation = a_situation()
    for other in others:
        if other is not brake:
            situation = HELD[other][1](situation)
    situation = cause(situation)
    found = brake(situation)

    assert found is not None
    assert reason == found.reason
    assert found.detail
    assert found.subject == situation.subject.key
    if brake not in ASKED_FOR_ONE_STEP:
        assert found in brakes.objections(situation)


@pytest.mark.parametrize("brake", HELD, ids=[f.__name__ for f in HELD])
def test_a_brake_is_silent_about_one_sick_member_of_four(brake):
    """
    What every healing looks like meets no objection: a brake that always holds is a healer switched off.
    """
    assert brake(a_situation()) is None
