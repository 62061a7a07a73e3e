"""
What every operator of a stateful service keeps, whatever its engine.
"""

from __future__ import annotations

import pytest

from blueprints.lifecycle import QuorumRules
from fournines.model.cluster import Role, Standing
from tasks.operators import ClusterRefused, ClusterSilent
from tests.contract.operator_rig import OperatorRig

RULES = QuorumRules()


@pytest.fixture
def rig() -> OperatorRig:
    """
    Three members that are well.
    """
    return OperatorRig()


def test_a_view_names_every_slot(rig):
    """
    Each slot is a member, one leads, a majority must agree, and all are settled.
    """
    begin = rig.world.clock.now()
    view = rig.view()

    assert begin <= view.at <= rig.world.clock.now()
    assert tuple(m.slot_name for m in view.members) == rig.slots
    assert view.leader in rig.slots
    assert (view.voters, view.quorum, view.votes) == (3, 2, 3)
    assert [RULES.is_settled(view, slot) for slot in rig.slots] == ["", "", ""]
    assert [m.role for m in view.members].count(Role.PRIMARY) == 1


def test_a_member_that_died_is_in_the_view(rig):
    """
    Who does not answer is still counted, and is said not to vote.
    """
    gone = rig.slots[2]
    rig.kill(gone)
    rig.settle()

    member = rig.view().member(gone)
    assert member is not None
    assert (member.state, member.votes) == (Standing.STOPPED, False)
    assert rig.view().voters == 3


def test_the_leader_is_followed_by_another(rig):
    """
    A leader that died is followed without us.
    """
    leader = rig.view().leader
    rig.kill(leader)
    rig.settle()

    assert rig.view().leader not in {None, leader}


def test_nobody_leads_without_a_quorum(rig):
    """
    One of three decides nothing.
    """
    leader = rig.view().leader
    others = [slot for slot in rig.slots if slot != leader]
    rig.kill(leader)
    rig.kill(others[0])
    rig.settle()

    assert not rig.view().has_quorum
    assert rig.view().leader not in others


def test_leaving_hands_over_what_it_leads(rig):
    """
    After `leave` another leads, the member is still counted, and asking again changes nothing more.
    """
    leader = rig.view().leader
    rig.operator.leave(rig.cluster(), leader, deadline_seconds=30)
    heir = rig.view().leader
    rig.operator.leave(rig.cluster(), leader, deadline_seconds=30)

    assert heir not in {None, leader}
    assert rig.view().leader == heir
    assert rig.view().voters == 3


def test_leaving_is_taken_back(rig):
    """
    After `stay` the member is all it should be; staying without having left is nothing.
    """
    slot = rig.slots[0]
    rig.operator.leave(rig.cluster(), slot, deadline_seconds=30)
    rig.operator.stay(rig.cluster(), slot)
    rig.operator.stay(rig.cluster(), slot)

    assert rig.operator.admitted(rig.cluster(), slot)
    assert RULES.is_settled(rig.view(), slot) == ""


def test_a_leader_without_an_heir_is_refused(rig):
    """
    Nobody could follow: the service says no, and goes on as it was.
    """
    leader = rig.view().leader
    for slot in rig.slots:
        if slot != leader:
            rig.kill(slot)

    with pytest.raises(ClusterRefused, match="nobody could follow"):
        rig.operator.leave(rig.cluster(), leader, deadline_seconds=30)


def test_a_successor_is_admitted_when_it_has_caught_up(rig):
    """
    A new instance in a slot is not at once a full member, and becomes one without another word.
    """
    slot = rig.slots[1]
    rig.replace(slot)
    assert not rig.operator.admitted(rig.cluster(), slot)
    assert RULES.is_settled(rig.view(), slot) != ""

    rig.settle()

    assert rig.operator.admitted(rig.cluster(), slot)
    assert RULES.is_settled(rig.view(), slot) == ""
    assert rig.view().voters == 3


def test_who_is_removed_is_counted_no_more(rig):
    """
    After `remove` the quorum is that of those who stay; removing again is nothing.
    """
    slot = rig.slots[2]
    rig.kill(slot)
    rig.operator.remove(rig.cluster(), slot)
    rig.operator.remove(rig.cluster(), slot)

    assert rig.view().voters == 2
    member = rig.view().member(slot)
    assert member is None or member.state is Standing.ABSENT


def test_silence_is_no_view(rig):
    """
    With nobody to ask there is an error, never an empty view.
    """
    for slot in rig.slots:
        rig.kill(slot)

    with pytest.raises(ClusterSilent):
        rig.view()


def test_applying_twice_changes_nothing_the_second_time(rig):
    """
    Settings and objects are brought to what is asked for, and stay.
    """
    rig.operator.apply(rig.cluster())

    assert rig.operator.apply(rig.cluster()) == ()
