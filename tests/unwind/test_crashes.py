"""
Killing the process at any moment and running it again ends in the same platform, nothing orphaned or doubled.
"""

from __future__ import annotations

import os

import pytest

from fournines.cloud.simulated import Fault, FaultKind
from tasks import deployment, execution, perform, unwinding
from tasks.audience import Audience
from tests.unwind.harness import (
    PLATFORM,
    Tripwire,
    World,
    a_platform,
    die_at_every_moment,
    die_once_it_is_asked_for,
)

SEEDS = int(os.environ.get("CRASH_SEEDS") or 0)
"""Worlds that die at each moment; without it two share the moments between them."""

WORLDS = range(SEEDS or 2)
EVERY = 1 if SEEDS else len(WORLDS)

SEALED = """#cloud-config
write_files:
  - {path: /etc/secret, content: "@{secret:shop/password}"}
  - {path: /etc/key, content: "@{private-key:@SLOT@}"}
"""


def deployed(seed: int = 0, **asked) -> World:
    """
    A world in which the platform stands.
    """
    world = World(seed)
    assert deployment.deploy(world.workshop(), a_platform(**asked)).ok
    return world


@pytest.mark.parametrize("seed", WORLDS)
@pytest.mark.parametrize(
    ("prepare", "act"),
    [
        pytest.param(
            World,
            lambda workshop: deployment.deploy(workshop, a_platform()),
            id="first-deploy",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=1),
            lambda workshop: deployment.deploy(workshop, a_platform(count=3)),
            id="scale-out",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=3),
            lambda workshop: deployment.deploy(workshop, a_platform(count=1)),
            id="scale-in",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=2),
            lambda workshop: deployment.deploy(
                workshop, a_platform(count=2, user_data="#cloud-config")
            ),
            id="roll",
        ),
        pytest.param(
            World,
            lambda workshop: deployment.deploy(workshop, a_platform(ordinal=True)),
            id="first-deploy-with-addresses",
        ),
        pytest.param(
            World,
            lambda workshop: deployment.deploy(
                workshop, a_platform(ordinal=True, user_data=SEALED)
            ),
            id="first-deploy-with-secrets",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=1),
            lambda workshop: deployment.deploy(
                workshop, a_platform(count=1, user_data=SEALED)
            ),
            id="roll-to-secrets",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=3, ordinal=True),
            lambda workshop: deployment.deploy(
                workshop, a_platform(count=1, ordinal=True)
            ),
            id="scale-in-with-addresses",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=1, volume_gb=1, ordinal=True),
            lambda workshop: deployment.destroy(workshop, PLATFORM),
            id="destroy-with-addresses",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=1, volume_gb=1),
            lambda workshop: deployment.destroy(workshop, PLATFORM),
            id="destroy-with-volumes",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=1),
            lambda workshop: deployment.destroy(workshop, PLATFORM, service="shop"),
            id="destroy-one-service",
        ),
    ],
)
def test_killed_anywhere_and_run_again(prepare, act, seed):
    """
    Whichever call or commit was the last, a second run ends where an undisturbed one does.
    """
    assert die_at_every_moment(prepare, act, seed, every=EVERY) == []


def test_killed_anywhere_in_a_roll_of_slots_with_addresses():
    """
    Slots whose old instance goes first end with the same addresses and volumes, each with one new instance that serves.
    """

    def roll(workshop):
        rolled = a_platform(
            count=2, volume_gb=1, ordinal=True, user_data="#cloud-config"
        )
        return deployment.deploy(workshop, rolled)

    def prepare(seed):
        return deployed(seed, count=2, volume_gb=1, ordinal=True)

    assert die_at_every_moment(prepare, roll, whichever_generation=True) == []


@pytest.mark.parametrize("seed", WORLDS)
@pytest.mark.parametrize(
    ("prepare", "act"),
    [
        pytest.param(
            World,
            lambda workshop: deployment.deploy(workshop, a_platform()),
            id="first-deploy",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=1),
            lambda workshop: deployment.scale(workshop, "shop", 3),
            id="scale-out",
        ),
        pytest.param(
            lambda seed: deployed(seed, count=2),
            lambda workshop: deployment.deploy(
                workshop, a_platform(count=2, user_data="#cloud-config"), only="shop"
            ),
            id="roll",
        ),
    ],
)
def test_the_timer_finishes_what_was_asked_for(prepare, act, seed):
    """
    Killed between writing what should be and opening its plan, or anywhere after that: the reconcile brings it about, with nobody's help.
    """
    moments, differing = die_once_it_is_asked_for(prepare, act, seed, every=EVERY)

    assert moments > 10
    assert differing == []


def test_destroy_leaves_nothing():
    """
    After destroy nothing of ours is in the cloud or the registry, and a stranger is still there.
    """
    world = deployed(volume_gb=1)
    world.cloud.plant("network", "someone-elses")

    assert deployment.destroy(world.workshop(), PLATFORM).ok

    left = world.resources()
    assert left.pop("networks") == ["someone-elses"]
    assert all(found == [] for found in left.values())
    assert world.store.registry.platforms() == ()


def test_every_step_twice():
    """
    Performing each step of a deploy twice in a row gives the same platform as once.
    """

    def twice(_step, work):
        work()
        return work()

    world = World()
    audience = Audience(performer=twice)
    assert deployment.deploy(world.workshop(), a_platform(), audience=audience).ok

    assert world.resources() == deployed().resources()


def test_parallel_steps_end_in_the_same_platform():
    """
    Sixteen threads make what one makes.
    """
    world = World()
    workshop = world.workshop(parallel_steps_max=16)

    assert deployment.deploy(workshop, a_platform(count=6)).ok

    assert world.resources() == deployed(count=6).resources()


def test_an_unchanged_platform_gives_an_empty_plan():
    """
    After a deploy there is nothing to plan.
    """
    world = deployed()
    made, refusals = deployment.plan(world.workshop(), a_platform())

    assert made.empty
    assert refusals == ()


def test_a_failed_step_leaves_independent_branches_done():
    """
    When an instance fails, what does not need it is done, what needs it waits, and the next run goes on.
    """
    world = World()
    broken = "demo-shop-web-1-g1"
    world.cloud.inject(
        Fault(FaultKind.NO_CAPACITY, call="ensure_instance", subject=broken, times=1)
    )

    result = deployment.deploy(world.workshop(), a_platform())

    assert result.outcome is not None
    assert list(result.outcome.failed) == [f"ensure-instance/{broken}"]
    assert "ensure-load-balancer/demo-shop-lb" in result.outcome.done
    assert result.outcome.waiting
    assert "run it again to go on" in result.sentence()

    assert deployment.deploy(world.workshop(), a_platform()).ok
    assert world.resources() == deployed().resources()


def test_unwinding_takes_back_what_was_made():
    """
    Undoing a first deploy step by step, twice over, leaves an empty cloud.
    """
    world = World()
    workshop = world.workshop()
    made = deployment.deploy(workshop, a_platform()).plan

    assert unwinding.unwind(made, workshop) == {}
    assert unwinding.unwind(made, workshop) == {}

    assert all(found == [] for found in world.resources().values())


def test_unwinding_spares_what_was_there_before():
    """
    Undoing a scale-out leaves the platform as it was before.
    """
    world = deployed(count=1)
    before = world.resources()
    workshop = world.workshop()
    made = deployment.deploy(workshop, a_platform(count=3)).plan
    assert world.resources() != before

    assert unwinding.unwind(made, workshop) == {}
    assert world.resources() == before


def test_every_undo_may_run_twice():
    """
    An undo of what is already undone is no error.
    """
    world = World()
    workshop = world.workshop()
    made = deployment.deploy(workshop, a_platform()).plan
    for step in reversed(made.steps):
        perform.undo(step, workshop)
        perform.undo(step, workshop)

    left = world.resources()
    assert left.pop("registered")
    assert all(found == [] for found in left.values())


def test_a_failing_undo_is_named():
    """
    What could not be undone is returned with its reason, and the rest is undone.
    """
    world = World()
    workshop = world.workshop()
    made = deployment.deploy(workshop, a_platform()).plan
    world.cloud.inject(Fault(FaultKind.CREDENTIALS, call="delete_floating_ip", times=1))

    stuck = unwinding.unwind(made, workshop)

    assert list(stuck) == ["ensure-floating-ip/demo-shop-ip"]
    assert world.resources()["instances"] == []


def test_an_interrupted_plan_goes_on_where_it_was():
    """
    Executing the same plan again skips what is done and performs again what was only intended.
    """
    world = World()
    made, _ = deployment.plan(world.workshop(), a_platform())
    wire = Tripwire(at=41)
    with pytest.raises(BaseException, match=r"before|after"):
        execution.execute(made, world.workshop(wire), holder="first")
    done = [e.step_id for e in world.store.journal.entries(made.id) if e.ended_at]
    assert done

    seen = []
    outcome = execution.execute(
        made, world.workshop(), holder="second", watch=seen.append
    )

    assert outcome.ok
    assert [p.step for p in seen if p.state == "skipped"] == done
    assert world.resources()["instances"] == deployed().resources()["instances"]


def test_a_step_with_a_bug_is_reported_and_does_not_hang():
    """
    An unexpected error in a step is a failed step like any other.
    """
    world = World()

    def broken(step, work):
        if step.kind == "join-pool":
            raise ValueError("nobody expected this")
        return work()

    audience = Audience(performer=broken)
    result = deployment.deploy(world.workshop(), a_platform(), audience=audience)

    assert result.outcome is not None
    assert "ValueError: nobody expected this" in result.outcome.sentence()


def test_a_failed_resource_names_its_fault():
    """
    The cloud's own fault text reaches the outcome.
    """
    world = World()
    world.cloud.inject(
        Fault(
            FaultKind.ERROR_STATUS,
            call="ensure_instance",
            subject="demo-shop-web-0-g1",
            times=1,
            text="disk on fire",
        )
    )

    outcome = deployment.deploy(world.workshop(), a_platform()).outcome

    assert outcome is not None
    assert "disk on fire" in outcome.sentence()
