"""
Desired x observed -> plan, case by case: slots, weights, sizes.
"""

import pytest

from fournines.model.refusal import Reason
from fournines.planning.plan import Purpose
from tests.decide.diff_world import POOL, SHOP, deployed, kinds, named, planned, reasons
from tests.decide.planned_world import World, a_platform, with_groups


def test_first_deploy_makes_everything_once():
    """An empty cloud gets network, guards, balancer and address, and all instances in one go."""
    plan = planned(SHOP, World())

    assert {kind: kinds(plan).count(kind) for kind in kinds(plan)} == {
        "ensure-network": 1,
        "ensure-security-group": 1,
        "ensure-server-group": 1,
        "ensure-load-balancer": 1,
        "ensure-floating-ip": 1,
        "ensure-instance": 3,
        "join-pool": 1,
        "await-serving": 1,
    }
    assert Purpose.DEPLOY is plan.purpose
    assert not plan.refusals


def test_first_deploy_runs_in_parallel():
    """Instances wait for network and guards, not for the load balancer; joining waits for both."""
    plan = planned(SHOP, World())
    (join,) = named(plan, "join-pool")
    (balancer,) = named(plan, "ensure-load-balancer")

    assert balancer.needs == ("ensure-network/demo-network",)
    for make in named(plan, "ensure-instance"):
        assert {
            "ensure-network/demo-network",
            "ensure-security-group/demo-shop-web",
            "ensure-server-group/demo-shop-web",
        } == set(make.needs)
        assert make.id in join.needs
    assert balancer.id in join.needs


def test_instances_spread_over_zones():
    """Three instances stand in three zones."""
    plan = planned(SHOP, World())

    assert {"az1", "az2", "az3"} == {
        s.spec.zone for s in named(plan, "ensure-instance")
    }


def test_unchanged_platform_gives_an_empty_plan():
    """What is as it should be needs nothing, and the same inputs give the same id."""
    world = deployed()
    first, second = planned(SHOP, world), planned(SHOP, world)

    assert first.empty
    assert not first.refusals
    assert first.id == second.id


def test_lost_instance_is_replaced_by_the_next_generation():
    """While its member is still in the pool its name is not given again."""
    world = deployed()
    world.lose("demo-shop-web-1-g1")
    plan = planned(SHOP, world)

    assert [s.spec.name for s in named(plan, "ensure-instance")] == [
        "demo-shop-web-1-g2"
    ]
    assert [s.instances for s in named(plan, "leave-pool")] == [("demo-shop-web-1-g1",)]
    assert planned(SHOP, world.perform(plan)).empty


@pytest.mark.parametrize("status", ["SHUTOFF", "ERROR", "PAUSED"])
def test_dead_instance_is_followed_and_then_deleted(status):
    """The new one serves before the dead one goes; a dead one gets no drain."""
    world = deployed()
    world.change("demo-shop-web-0-g1", status=status)
    plan = planned(SHOP, world, purpose=Purpose.RECONCILE)

    assert kinds(plan) == [
        "ensure-instance",
        "join-pool",
        "await-serving",
        "leave-pool",
        "delete-instance",
    ]
    assert planned(SHOP, world.perform(plan)).empty


def test_half_built_instance_is_finished_under_its_name():
    """A create whose outcome nobody waited for is waited for now."""
    world = deployed()
    world.change("demo-shop-web-2-g1", status="BUILD")
    plan = planned(SHOP, world)

    (make,) = named(plan, "ensure-instance")
    assert make.spec.name == "demo-shop-web-2-g1"


def test_half_built_instance_of_an_old_specification_is_nobodys_future():
    """It is deleted once its successor serves."""
    world = deployed()
    world.change("demo-shop-web-2-g1", status="BUILD")
    world.set_member(POOL, "demo-shop-web-2-g1", weight=0)
    newer = with_groups(SHOP, image="debian-13")
    plan = planned(newer, world)

    assert "demo-shop-web-2-g2" in {s.spec.name for s in named(plan, "ensure-instance")}
    assert "demo-shop-web-2-g1" in {s.instance for s in named(plan, "delete-instance")}


def test_missing_member_joins_again():
    """An instance that is up and in no pool is put back, and awaited."""
    world = deployed()
    pool = world.balancers["demo-shop-lb"].pools[0]
    members = tuple(m for m in pool.members if m.name != "demo-shop-web-0-g1")
    world.put_pool(pool.model_copy(update={"members": members}))
    plan = planned(SHOP, world)

    assert kinds(plan) == ["join-pool", "await-serving"]
    assert planned(SHOP, world.perform(plan)).empty


def test_member_on_a_wrong_port_joins_again():
    """A member that leads to another port is brought to the right one."""
    world = deployed()
    world.set_member(POOL, "demo-shop-web-0-g1", port=9999)

    assert kinds(planned(SHOP, world)) == ["join-pool", "await-serving"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"admin_up": False}, f"{POOL}-1-g1 was disabled in {POOL}"),
        ({"port": 22}, f"{POOL}-1-g1 is asked at port 22 and serves at 8080"),
    ],
)
def test_a_member_that_joins_again_says_why(change, said):
    """Whoever reads the plan, or the case of the timer that put it right, learns what somebody had changed."""
    world = deployed()
    world.set_member(POOL, f"{POOL}-1-g1", **change)

    plan = planned(SHOP, world)

    assert named(plan, "join-pool")[0].why == said


def test_weight_that_nobody_explains_is_restored():
    """Weight 0 without an open case is an accident."""
    world = deployed()
    world.set_member(POOL, "demo-shop-web-0-g1", weight=0)
    (step,) = planned(SHOP, world).steps

    assert (step.kind, step.weight, step.weight_before) == ("set-weight", 1, 0)


def test_weight_that_a_case_explains_is_left_alone():
    """Healing's hands are not touched."""
    world = deployed()
    world.set_member(POOL, "demo-shop-web-0-g1", weight=0)

    assert planned(SHOP, world, drained=frozenset({"demo-shop-web-0-g1"})).empty


def test_slot_under_healing_is_refused_when_it_needs_work():
    """What a case holds is not replaced by a deploy; it is said."""
    world = deployed()
    world.change("demo-shop-web-0-g1", status="ERROR")
    plan = planned(SHOP, world, drained=frozenset({"demo-shop-web-0-g1"}))

    assert plan.empty
    assert reasons(plan) == [Reason.BUSY]


def test_locked_instance_is_left_alone():
    """A locked instance is somebody's wish."""
    world = deployed()
    world.change("demo-shop-web-0-g1", status="SHUTOFF", locked=True)
    plan = planned(SHOP, world)

    assert plan.empty
    assert reasons(plan) == [Reason.LOCKED]


def test_locked_healthy_instance_gets_its_weight_back():
    """A lock does not concern the pool."""
    world = deployed()
    world.change("demo-shop-web-0-g1", locked=True)
    world.set_member(POOL, "demo-shop-web-0-g1", weight=0)

    assert kinds(planned(SHOP, world)) == ["set-weight"]


def test_scale_out_makes_the_missing_slots():
    """Two more are made; the others are not touched."""
    world = deployed()
    plan = planned(a_platform(shop={"count": 5}, min_healthy=2), world)

    assert {"demo-shop-web-3-g1", "demo-shop-web-4-g1"} == {
        s.spec.name for s in named(plan, "ensure-instance")
    }
    assert not named(plan, "delete-instance")


def test_scale_in_drains_before_it_deletes():
    """Weight 0, drain, leave, delete; the highest slots go."""
    world = deployed()
    plan = planned(a_platform(shop={"count": 1}), world)

    assert kinds(plan)[:5] == [
        "set-weight",
        "drain",
        "set-weight",
        "drain",
        "leave-pool",
    ]
    assert {"demo-shop-web-1-g1", "demo-shop-web-2-g1"} == {
        s.instance for s in named(plan, "delete-instance")
    }


def test_scale_in_waits_for_enough_that_serve():
    """Nobody who serves goes while those that stay do not."""
    world = deployed()
    world.set_member(POOL, "demo-shop-web-0-g1", operating_status="ERROR")
    plan = planned(a_platform(shop={"count": 1}), world)

    assert not named(plan, "delete-instance")
    assert reasons(plan) == [Reason.MIN_HEALTHY]


@pytest.mark.parametrize(
    ("change", "reason"), [({"locked": True}, Reason.LOCKED), ({}, Reason.BUSY)]
)
def test_scale_in_spares_locked_and_healed_instances(change, reason):
    """They stay, and it is said why."""
    world = deployed()
    world.change("demo-shop-web-2-g1", **change)
    drained = frozenset() if change else frozenset({"demo-shop-web-2-g1"})
    plan = planned(a_platform(shop={"count": 2}), world, drained=drained)

    assert plan.empty
    assert [reason] == reasons(plan)
