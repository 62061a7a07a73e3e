"""
Killing the process at any moment of a change of a stateful service, and running it again.
"""

from __future__ import annotations

import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.contents import ContentChange
from fournines.planning.plan import Purpose
from tasks import deployment, execution, membership, unwinding
from tests.contract.operator_rig import a_stateful_platform
from tests.unwind.harness import PLATFORM, World, die_at_every_moment

TOLD = ("prepare-leave", "await-member", "forget-member")


def deployed(seed: int = 0, **asked) -> World:
    """
    A world in which the stateful service stands.
    """
    world = World(seed)
    result = deployment.deploy(world.workshop(), a_stateful_platform(**asked))
    assert result.ok, result.sentence()
    return world


def alone(seed: int = 0) -> World:
    """
    A world in which a person has deployed one member alone.
    """
    world = World(seed)
    one = a_stateful_platform(count=1)
    result = deployment.deploy(world.workshop(), one, insist=True)
    assert result.ok, result.sentence()
    return world


def test_an_only_member_is_replaced_when_a_person_says_so():
    """
    Refused with the price, and nothing of it is asked for; with the word it goes without a hand-over and its successor has its volume.
    """
    world = alone()
    new = a_stateful_platform(count=1, user_data="#cloud-config")
    before = world.resources()

    refused = deployment.deploy(world.workshop(), new)

    assert "nobody is served for about 28 s" in refused.sentence()
    assert world.resources() == before
    forced = deployment.deploy(world.workshop(), new, insist=True)
    assert forced.ok, forced.sentence()
    assert not [slot for what, slot in world.operator.asked if what == "leave"]
    assert world.resources()["volumes"] == before["volumes"]
    assert world.resources()["ports"] == before["ports"]
    assert all(m.settled for m in world_view(world).members)


def test_another_size_that_may_not_be_now_is_not_asked_for():
    """
    One of five hangs: nobody else may leave, so the registry keeps five, and no timer takes anybody away once that one is well.
    """
    world = deployed(count=5)
    sick = next(m for m in world_view(world).members if m.role != "primary")
    world.cloud.break_instance(sick.instance, Behaviour.HANG, sticky=True)
    world.clock.advance(10)
    world_view(world)

    result = deployment.scale(world.workshop(), "db", 3)

    assert not result.ok
    assert result.outcome is None
    known = world.store.registry.platform(PLATFORM)
    assert known.service("db").groups[0].count == 5


def test_a_roll_hands_over_and_waits():
    """
    A roll over the real steps: each member hands over, comes back and is whole; the leader is the last to go, and the quorum was never lost.
    """
    world = deployed()
    leader = next(m for m in world_view(world).members if m.role == "primary")

    result = deployment.deploy(
        world.workshop(), a_stateful_platform(user_data="#cloud-config")
    )

    assert result.ok, result.sentence()
    left = [slot for what, slot in world.operator.asked if what == "leave"]
    assert len(left) == 3
    assert left[-1] == leader.slot_name
    assert all(m.settled for m in world_view(world).members)


def world_view(world: World):
    """
    What the service says of itself.
    """
    platform = world.store.registry.platform(PLATFORM)
    inventory = world.cloud.inventory(PLATFORM)
    views = membership.views(world.workshop(), platform, inventory)
    return next(iter(views.values()))


def test_a_refused_leave_is_unwound_to_a_full_member():
    """
    A roll that breaks off after its first hand-over leaves that member in when it is taken back.
    """
    world = deployed()
    made, _ = deployment.plan(
        world.workshop(), a_stateful_platform(user_data="#cloud-config")
    )
    first = next(s for s in made.steps if s.kind == "prepare-leave")
    part = made.model_copy(update={"steps": (first,)})
    assert execution.execute(part, world.workshop(), holder="test").ok

    assert unwinding.unwind(part, world.workshop()) == {}

    assert ("stay", first.slot) in world.operator.asked
    assert world_view(world).member(first.slot).settled


@pytest.mark.parametrize(
    ("prepare", "act"),
    [
        pytest.param(
            World,
            lambda workshop: deployment.deploy(workshop, a_stateful_platform()),
            id="first-deploy",
        ),
        pytest.param(
            deployed,
            lambda workshop: deployment.deploy(
                workshop, a_stateful_platform(user_data="#cloud-config")
            ),
            id="roll",
            marks=pytest.mark.full,
        ),
        pytest.param(
            lambda seed: deployed(seed, count=5),
            lambda workshop: deployment.deploy(workshop, a_stateful_platform()),
            id="scale-in",
        ),
        pytest.param(
            deployed,
            lambda workshop: deployment.deploy(workshop, a_stateful_platform(count=5)),
            id="scale-out",
            marks=pytest.mark.full,
        ),
        pytest.param(
            alone,
            lambda workshop: deployment.deploy(
                workshop,
                a_stateful_platform(count=1, user_data="#cloud-config"),
                insist=True,
            ),
            id="roll-of-an-only-member",
        ),
    ],
)
def test_killed_anywhere_and_run_again(prepare, act):
    """
    Whichever call or commit was the last, a second run ends where an undisturbed one does.
    """
    assert die_at_every_moment(prepare, act, whichever_generation=True) == []


def times(world: World, what: str) -> int:
    """
    How often the service was asked for something.
    """
    return [asked for asked, _ in world.operator.asked].count(what)


def test_objects_follow_the_members():
    """
    A deploy that ends well has the service brought to what its parameters ask for; one that does not leaves it alone.
    """
    world = deployed()
    assert times(world, "apply") == 1

    made = a_stateful_platform(count=2)
    result = deployment.deploy(world.workshop(), made)

    assert not result.ok
    assert times(world, "apply") == 1


@pytest.mark.parametrize(
    ("purpose", "restarts"),
    [
        pytest.param(Purpose.DEPLOY, 3, id="deploy"),
        pytest.param(Purpose.RECONCILE, 0, id="reconcile"),
    ],
)
def test_what_it_does_not_hold_is_planned_and_made(purpose, restarts):
    """
    Nothing else changed, and the plan says what the service lacks; then it is made, once, and members are restarted only if a person asked.
    """
    world, asked = deployed(), a_stateful_platform()
    assert deployment.plan(world.workshop(), asked)[0].empty
    world.operator.lacking = (
        ContentChange(said="user app is made"),
        ContentChange(said="slots is 8", restarts=True),
    )

    made, _ = deployment.plan(world.workshop(), asked)
    result = deployment.deploy(world.workshop(), asked, purpose=purpose)

    assert made.steps[0].changes == ("user app is made", "slots is 8 (by a restart)")
    assert result.ok, result.sentence()
    assert times(world, "apply") == 2
    assert times(world, "restart") == restarts
    again = deployment.deploy(world.workshop(), asked, purpose=Purpose.RECONCILE)
    assert again.plan.empty


def test_what_stands_in_the_way_is_said_before():
    """
    A service that cannot hold what is asked for says why in the plan, and nothing of it is tried.
    """
    world, asked = deployed(), a_stateful_platform()
    world.operator.opposed = "queue paid is another"

    result = deployment.deploy(world.workshop(), asked)

    assert [r.detail for r in result.refusals] == [
        "what demo-db-pg holds is not changed: queue paid is another"
    ]
    assert times(world, "apply") == 1
