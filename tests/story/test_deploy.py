"""
Deploying, scaling and reconciling on the simulated cloud: world in, event, world out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from fournines.cloud.simulated import Behaviour, Scenario, SimulatedCloud
from fournines.model.case import Case, Subject
from fournines.model.inventory import Quota
from fournines.model.refusal import Reason
from fournines.planning.plan import Purpose
from fournines.store.protocol import LeaseHeld
from tasks import deployment, leasing, reconciliation
from tasks.audience import Audience
from tests.unwind.harness import PLATFORM, Tripwire, World, a_platform


@pytest.fixture
def world() -> World:
    """
    A world in which a platform of three stands.
    """
    made = World()
    assert deployment.deploy(made.workshop(), a_platform(count=3)).ok
    return made


def a_world_for(instances: int) -> World:
    """
    An empty world with a quota of so many instances.
    """
    without = dict.fromkeys(Quota.model_fields, -1)
    limits = Quota(**without | {"instances": instances})
    world = World()
    world.cloud = SimulatedCloud(Scenario(limits=limits), clock=world.clock)
    return world


def test_two_deploys_of_one_service_at_once(world):
    """
    The second deploy refuses, names the first, and touches nothing.
    """
    before = world.resources()
    names = [leasing.of_service(PLATFORM, "shop")]
    with (
        leasing.holding(world.workshop(), names, purpose="deploy of shop"),
        pytest.raises(LeaseHeld, match="holds it for deploy of shop"),
    ):
        deployment.deploy(world.workshop(), a_platform(count=5), only="shop")

    assert world.resources() == before


def test_what_somebody_destroys_is_left_to_them(world):
    """
    A service that is out of the registry and still being destroyed is its destroyer's: a deploy of the rest touches nothing of it, until the destroyer
    is done or gone.
    """
    before = world.resources()
    without = a_platform(count=3).model_copy(update={"services": ()})
    names = [leasing.of_service(PLATFORM, "shop")]
    with (
        leasing.holding(world.workshop(), names, purpose="destroy of shop"),
        pytest.raises(LeaseHeld, match="holds it for destroy of shop"),
    ):
        deployment.deploy(world.workshop(), without, purpose=Purpose.RECONCILE)
    assert world.resources() == before

    assert deployment.deploy(world.workshop(), without).ok
    assert world.resources()["instances"] == []


def test_a_dead_holder_is_inherited_from_at_once(world):
    """
    The lease of a killed process of this host does not keep the next one waiting.
    """
    code = "import sys; from tasks import holders; sys.stdout.write(holders.name())"
    holder = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    world.store.leases.acquire(
        leasing.of_service(PLATFORM, "shop"),
        holder=holder,
        purpose="deploy of shop",
        ttl_seconds=3600,
    )

    assert deployment.deploy(world.workshop(), a_platform(count=4)).ok


def test_a_living_holder_of_another_host_is_respected(world):
    """
    Nobody can tell whether a process of another host lives: its lease holds until it expires.
    """
    name = leasing.of_service(PLATFORM, "shop")
    holder = f"ann@elsewhere process {os.getpid()}/1 run 0"
    world.store.leases.acquire(name, holder=holder, purpose="deploy", ttl_seconds=30)
    with pytest.raises(LeaseHeld, match="ann@elsewhere"):
        deployment.deploy(world.workshop(), a_platform(count=4))

    world.clock.advance(31)
    assert deployment.deploy(world.workshop(), a_platform(count=4)).ok


def test_a_lost_lease_stops_the_plan():
    """
    When somebody else took the lease in the meantime, no further step is begun.
    """
    world = World()
    workshop = world.workshop()

    def stolen(step, work):
        facts = work()
        if step.kind == "ensure-network":
            world.clock.advance(timedelta(minutes=5).total_seconds())
            world.store.leases.acquire(
                leasing.of_service(PLATFORM, "shop"),
                holder="thief",
                purpose="deploy",
                ttl_seconds=60,
            )
        return facts

    audience = Audience(performer=stolen)
    outcome = deployment.deploy(workshop, a_platform(), audience=audience).outcome

    assert outcome is not None
    assert not outcome.ok
    assert "the lease on demo/shop was lost" in outcome.lost
    assert outcome.done == ()
    assert world.store.journal.unfinished()


def test_too_small_a_quota_is_said_before_the_first_create():
    """
    A deploy beyond the quota is refused with the numbers, and nothing is made.
    """
    world = a_world_for(instances=1)

    result = deployment.deploy(world.workshop(), a_platform())

    assert [r.reason for r in result.refusals] == [Reason.QUOTA]
    assert result.outcome is None
    assert all(found == [] for found in world.resources().values())
    assert world.store.registry.platforms() == ()


def test_a_name_taken_by_somebody_else_stops_everything():
    """
    A stranger under one of our names is left alone, named, and nothing is made beside it.
    """
    world = World()
    world.cloud.plant("network", "demo-network")

    result = deployment.deploy(world.workshop(), a_platform())

    assert {r.reason for r in result.refusals} == {Reason.NAME_TAKEN}
    assert world.resources()["instances"] == []
    assert world.store.registry.platforms() == ()


def test_scaling_out_and_in(world):
    """
    A service grows and shrinks by its registered description, and a plan afterwards is empty.
    """
    for count in (5, 2):
        assert deployment.scale(world.workshop(), "shop", count).ok
        assert len(world.resources()["members"]) == count

    registered = world.store.registry.platform(PLATFORM)
    assert deployment.plan(world.workshop(), registered)[0].empty


def test_reconcile_leaves_what_is_well(world):
    """
    Reconciling an unchanged platform does nothing.
    """
    before = world.resources()
    (one,) = reconciliation.reconcile(world.workshop())

    assert one.ok
    assert one.result.plan.empty
    assert world.resources() == before


def test_reconcile_brings_back_what_was_deleted(world):
    """
    An instance that somebody deleted is there again after a reconcile.
    """
    world.cloud.delete_instance("demo-shop-web-1-g1", deadline_seconds=60)

    (one,) = reconciliation.reconcile(world.workshop())

    assert one.ok
    assert len(world.resources()["instances"]) == 3
    assert one.result.plan.purpose is Purpose.RECONCILE


def test_reconcile_leaves_open_cases_to_the_healer(world):
    """
    A service with an open healing case is skipped, and the reason is said.
    """
    world.cloud.break_instance("demo-shop-web-1-g1", Behaviour.KILL)
    world.store.cases.put(
        Case(
            id="case-1",
            subject=Subject(
                platform=PLATFORM,
                service="shop",
                group="web",
                slot=1,
                instance="demo-shop-web-1-g1",
            ),
            opened_at=world.clock.now(),
        )
    )
    (one,) = reconciliation.reconcile(world.workshop())

    assert "healing case" in one.sentence()
    assert one.result is None


def test_reconcile_ends_a_destroy_that_was_killed(world):
    """
    What was being destroyed when its process died is not built again: it is destroyed to the end.
    """
    wire = Tripwire(at=40)
    with pytest.raises(BaseException, match=r"before|after"):
        deployment.destroy(world.workshop(wire), PLATFORM)
    assert world.store.registry.platforms() == ()
    world.clock.advance(60)

    assert all(one.ok for one in reconciliation.reconcile(world.workshop()))

    assert all(found == [] for found in world.resources().values())


def test_reconcile_says_when_somebody_is_at_it(world):
    """
    A platform somebody else works on is skipped without an error: the timer comes again.
    """
    with leasing.holding(
        world.workshop(), [leasing.of_platform(PLATFORM)], purpose="deploy of demo"
    ):
        (one,) = reconciliation.reconcile(world.workshop())

    assert one.ok
    assert "deploy of demo" in one.sentence()


@pytest.mark.parametrize(
    ("purpose", "weight"),
    [
        pytest.param(Purpose.RECONCILE, 1, id="the-timer-lets-serve-what-is-there"),
        pytest.param(Purpose.DEPLOY, 0, id="a-deploy-is-done-whole-or-not-at-all"),
    ],
)
def test_what_stands_in_the_way_of_the_whole(purpose, weight):
    """
    A slot is empty and there is no quota for it: the timer gives another member its weight back all the same, and says what is left undone.
    """
    world = a_world_for(instances=3)
    platform = a_platform(count=3)
    assert deployment.deploy(world.workshop(), platform).ok
    world.cloud.set_weight(
        "demo-shop-lb", "demo-shop-web", "demo-shop-web-0-g1", 0, deadline_seconds=9
    )
    world.cloud.vanish("demo-shop-web-2-g1")
    world.cloud.plant("instance", "of-somebody-else")

    result = deployment.deploy(world.workshop(), platform, purpose=purpose)

    assert not result.ok
    assert {r.reason for r in result.refusals} == {Reason.QUOTA}
    assert (
        f"demo-shop-web: demo-shop-web-0-g1 x{weight}" in world.resources()["members"]
    )
    assert len(world.resources()["instances"]) == 3
    assert not world.store.journal.unfinished()
