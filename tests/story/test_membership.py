"""
Steps about members of stateful services, from what they find to what they leave.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from blueprints import lifecycles
from fournines.cloud.errors import DeadlinePassed, RequestInvalid
from fournines.planning.steps import AwaitMember, ForgetMember, PrepareLeave
from tasks import perform
from tasks.operators import ClusterRefused
from tests.contract.operator_rig import OperatorRig, a_stateful_platform
from tests.unwind.harness import PLATFORM

PLACE = {"platform": PLATFORM, "service": "db", "group": "pg"}


@pytest.fixture
def rig() -> OperatorRig:
    """
    Three members that are well, and a workshop that knows their operator.
    """
    rig = OperatorRig()
    rig.workshop = replace(
        rig.workshop, operators={lifecycles.QUORUM: lambda _workshop: rig.operator}
    )
    return rig


def leave(slot: str, *, deadline_seconds: float = 10.0, generation: int = 1):
    """
    The step before a member goes.
    """
    return PrepareLeave(
        id=f"prepare-leave/{slot}",
        slot=slot,
        instance=f"{slot}-g{generation}",
        deadline_seconds=deadline_seconds,
        **PLACE,
    )


def arrive(slot: str, *, deadline_seconds: float = 60.0):
    """
    The step after a member came.
    """
    return AwaitMember(
        id=f"await-member/{slot}", slot=slot, deadline_seconds=deadline_seconds, **PLACE
    )


def test_a_member_leaves_and_its_successor_arrives(rig):
    """
    It hands over, goes, and the next is waited for until it has everything.
    """
    leader = rig.view().leader
    perform.do(leave(leader), rig.workshop)
    assert rig.view().leader != leader

    rig.replace(leader)
    perform.do(arrive(leader), rig.workshop)

    assert rig.view().member(leader).settled


def test_every_step_may_run_twice(rig):
    """
    Leaving, staying, arriving and forgetting twice is as once.
    """
    slot = rig.slots[1]
    steps = (leave(slot), arrive(slot))
    for step in steps:
        for _ in range(2):
            perform.do(step, rig.workshop)
    for _ in range(2):
        assert perform.undo(steps[0], rig.workshop)
    assert not perform.undo(steps[1], rig.workshop)
    assert rig.view().member(slot).settled

    forget = ForgetMember(id="forget", slot=slot, **PLACE)
    rig.kill(slot)
    for _ in range(2):
        perform.do(forget, rig.workshop)
    assert not perform.undo(forget, rig.workshop)
    assert rig.view().voters == 2


def test_nobody_leaves_while_another_is_away(rig):
    """
    The rules are asked at the moment itself, on a fresh view, whatever the plan thought.
    """
    rig.kill(rig.slots[2])
    rig.settle()

    with pytest.raises(ClusterRefused, match="1 of 3 members of db would vote"):
        perform.do(leave(rig.slots[1]), rig.workshop)

    assert rig.view().votes == 2


def test_time_may_cure_a_refusal(rig):
    """
    A member that is on its way back is waited for within the step's deadline.
    """
    rig.replace(rig.slots[2])

    perform.do(leave(rig.slots[1], deadline_seconds=60), rig.workshop)

    assert rig.view().member(rig.slots[2]).settled
    assert ("leave", rig.slots[1]) in rig.operator.asked


def test_nothing_is_taken_away_on_silence(rig):
    """
    When nobody says how the members are, the step fails and nothing was asked of the service.
    """
    rig.operator.silent = True

    with pytest.raises(ClusterRefused, match="nothing is taken away on silence"):
        perform.do(leave(rig.slots[1]), rig.workshop)

    assert rig.operator.asked == []


def test_a_dead_instance_has_nothing_to_hand_over(rig):
    """
    What the cloud itself calls gone goes without a word, even when nobody else can be asked; taking that back is nothing either.
    """
    for slot in rig.slots:
        rig.kill(slot)

    perform.do(leave(rig.slots[0]), rig.workshop)
    assert perform.undo(leave(rig.slots[0]), rig.workshop)

    assert rig.operator.asked == []


@pytest.mark.parametrize("silent", [False, True])
def test_an_arrival_that_never_comes(rig, silent):
    """
    The deadline passes with a sentence that says what is lacking.
    """
    rig.kill(rig.slots[1])
    rig.operator.silent = silent

    with pytest.raises(DeadlinePassed) as caught:
        perform.do(arrive(rig.slots[1], deadline_seconds=5), rig.workshop)

    assert ("nobody answers" if silent else "not yet taken in") in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"platform": "other"}, "no platform other is deployed", id="p"),
        pytest.param({"service": "other"}, "'other' is not asked for", id="s"),
        pytest.param({"group": "other"}, "'other' is not asked for", id="g"),
    ],
)
def test_steps_about_what_is_not_asked_for(rig, changes, words):
    """
    One clear sentence, and nothing was asked.
    """
    step = arrive(rig.slots[0]).model_copy(update=changes)

    with pytest.raises(RequestInvalid, match=words):
        perform.do(step, rig.workshop)


def test_an_engine_nobody_speaks_for(rig):
    """
    A service whose operator is not here is left alone.
    """
    platform = a_stateful_platform(blueprint="web")
    rig.world.store.registry.put_platform(platform, at=rig.world.clock.now())

    with pytest.raises(RequestInvalid, match="nobody here speaks for web"):
        perform.do(arrive(rig.slots[0]), rig.workshop)
