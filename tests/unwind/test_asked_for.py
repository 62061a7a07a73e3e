"""
A switchover and a rotation that somebody asks for, over the real steps.
"""

from __future__ import annotations

import pytest

from fournines.model.contents import ContentChange
from tasks import deployment, rotation, switching
from tests.contract.operator_rig import a_stateful_platform
from tests.unwind.harness import PLATFORM, World
from tests.unwind.test_members import deployed, times, world_view

SLOTS = tuple(f"{PLATFORM}-db-pg-{number}" for number in range(3))


@pytest.mark.parametrize(
    ("word", "slot"),
    [
        pytest.param("2", SLOTS[2], id="number"),
        pytest.param(SLOTS[1], SLOTS[1], id="slot"),
        pytest.param(f"{SLOTS[1]}-g1", SLOTS[1], id="instance"),
    ],
)
def test_whoever_is_named_leads(word, slot):
    """
    A member is named as people know it; afterwards it leads, all are whole, and asking again changes nothing.
    """
    world = deployed()
    for _ in range(2):
        result = switching.switchover(world.workshop(), "db", to=word)

        assert result.ok, result.sentence()
        assert world_view(world).leader == slot
    assert all(m.settled for m in world_view(world).members)


def test_nobody_named_means_somebody_else():
    """
    Without a name the service chooses, and never the one that leads.
    """
    world = deployed()
    before = world_view(world).leader

    assert switching.switchover(world.workshop(), "db").ok
    assert world_view(world).leader not in {None, before}


def test_a_stranger_cannot_lead():
    """
    A name that no member bears is refused with those that there are.
    """
    world = deployed()

    with pytest.raises(switching.SwitchoverRefused, match=SLOTS[0]):
        switching.switchover(world.workshop(), "db", to="demo-db-pg-7")
    assert times(world, "switchover") == 0


def test_nobody_hands_over_while_another_is_missing():
    """
    With a member down the one that leads is needed: the service is not even asked.
    """
    world = deployed()
    leader = world_view(world).leader
    other = next(slot for slot in SLOTS if slot != leader)
    world.cloud.delete_instance(f"{other}-g1", deadline_seconds=60)

    result = switching.switchover(world.workshop(), "db")

    assert not result.ok
    assert "members of db would vote, and 2 must" in result.sentence()
    assert times(world, "switchover") == 0


def test_running_servers_take_new_credentials_first():
    """
    What a service offers anew is in force in its servers before anybody is told of it.
    """
    world, asked = World(), a_stateful_platform()
    offering = asked.services[0].model_copy(
        update={"offers": {"password": "@{secret:db/app}"}}
    )
    asked = asked.model_copy(update={"services": (offering,)})
    assert deployment.deploy(world.workshop(), asked).ok
    world.operator.lacking = (ContentChange(said="user app has a new password"),)

    (taken,) = rotation.rotate_credentials(world.workshop(), "db")

    assert taken.result.ok
    assert [step.kind for step in taken.result.plan.steps] == ["apply-contents"]
    assert world.operator.lacking == ()
