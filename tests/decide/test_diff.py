"""
Desired x observed -> plan, case by case.
"""

import pytest

from blueprints.diff import floors, in_order, plan_destroy, plan_platform
from fournines.model.refusal import Reason
from fournines.planning import linter
from fournines.planning.plan import Purpose
from tests.decide.planned_world import World, a_platform, with_groups

POOL = "demo-shop-web"
SHOP = a_platform(shop={"count": 3})


def kinds(plan):
    """The kinds of a plan's steps, in order."""
    return [step.kind for step in plan.steps]


def reasons(plan):
    """Why what was refused was refused."""
    return [refusal.reason for refusal in plan.refusals]


def named(plan, kind):
    """The steps of one kind."""
    return [step for step in plan.steps if step.kind == kind]


def planned(desired, world, **options):
    """A plan, judged by the linter."""
    plan = plan_platform(desired, world.inventory(), **options)
    linter.check(plan, world.inventory(), floors(desired))
    return plan


def deployed(desired=SHOP):
    """A world in which a platform is as desired."""
    world = World()
    world.perform(planned(desired, world))
    assert planned(desired, world).empty
    return world


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
    world._put_pool(pool.model_copy(update={"members": members}))
    plan = planned(SHOP, world)

    assert kinds(plan) == ["join-pool", "await-serving"]
    assert planned(SHOP, world.perform(plan)).empty


def test_member_on_a_wrong_port_joins_again():
    """A member that leads to another port is brought to the right one."""
    world = deployed()
    world.set_member(POOL, "demo-shop-web-0-g1", port=9999)

    assert kinds(planned(SHOP, world)) == ["join-pool", "await-serving"]


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


def test_roll_takes_one_slot_after_the_other():
    """With surge 1 a slot begins when the old instance of the one before is gone."""
    world = deployed()
    plan = planned(with_groups(SHOP, image="debian-13"), world)
    makes = {s.spec.owner.slot: s for s in named(plan, "ensure-instance")}

    assert "delete-instance/demo-shop-web-0-g1" in makes[1].needs
    assert "delete-instance/demo-shop-web-1-g1" in makes[2].needs
    assert not makes[0].needs


def test_roll_with_surge_takes_several_slots_at_once():
    """With surge 2 the third slot waits for the first."""
    world = deployed()
    plan = planned(with_groups(SHOP, image="debian-13", surge=2), world)
    makes = {s.spec.owner.slot: s for s in named(plan, "ensure-instance")}

    assert not makes[1].needs
    assert makes[2].needs == ("delete-instance/demo-shop-web-0-g1",)


def test_interrupted_roll_goes_on_where_it_stopped():
    """A new generation that serves beside the old one: the old one goes."""
    newer = with_groups(SHOP, image="debian-13")
    world = deployed()
    plan = planned(newer, world)
    world.perform(plan, order=plan.steps[:3])
    again = planned(newer, world)

    assert "delete-instance/demo-shop-web-0-g1" in {s.id for s in again.steps}
    assert planned(newer, world.perform(again)).empty


def test_volumes_are_made_and_outlive_their_instances():
    """The replacement takes the slot's volume and stands in its zone."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    zone = world.volumes["demo-shop-web-0"].zone
    world.lose("demo-shop-web-0-g1")
    plan = planned(data, world)

    assert not named(plan, "ensure-volume")
    (make,) = named(plan, "ensure-instance")
    assert (zone, ("demo-shop-web-0",)) == (make.spec.zone, make.spec.volumes)


def test_roll_with_volumes_lets_go_first():
    """An instance leaves its volume before the next one is made."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    plan = planned(with_groups(data, image="debian-13"), world)

    for make in named(plan, "ensure-instance"):
        old = f"delete-instance/demo-shop-web-{make.spec.owner.slot}-g1"
        assert old in make.needs
    assert planned(with_groups(data, image="debian-13"), world.perform(plan)).empty


def test_roll_with_volumes_keeps_min_healthy():
    """Where all must stay healthy none may leave its volume."""
    data = a_platform(volume_size_gb=1, min_healthy=3, shop={"count": 3})
    plan = planned(with_groups(data, image="debian-13"), deployed(data))

    assert plan.empty
    assert reasons(plan) == [Reason.MIN_HEALTHY]


def test_lost_volume_is_made_anew():
    """A slot's volume that is gone is made again."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    del world.volumes["demo-shop-web-1"]

    assert kinds(planned(data, world)) == ["ensure-volume"]


def test_broken_volume_keeps_its_slot_empty():
    """An instance is not made for a volume in error."""
    data = with_groups(SHOP, volume_size_gb=1)
    world = deployed(data)
    world.lose("demo-shop-web-0-g1")
    volume = world.volumes["demo-shop-web-0"]
    world.volumes["demo-shop-web-0"] = volume.model_copy(update={"status": "error"})
    plan = planned(data, world)

    assert not named(plan, "ensure-instance")
    assert reasons(plan) == [Reason.FAILED]


def test_volume_of_another_size_is_said_not_changed():
    """Sizes are not changed in place."""
    world = deployed(with_groups(SHOP, volume_size_gb=1))
    plan = planned(with_groups(SHOP, volume_size_gb=2), world)

    assert plan.empty
    assert reasons(plan) == [Reason.IMMUTABLE] * 3


@pytest.mark.parametrize(
    ("status", "reason"),
    [("ERROR", Reason.FAILED), ("PENDING_DELETE", Reason.BUSY)],
)
def test_broken_load_balancer_stops_its_service(status, reason):
    """Nothing can be changed in it, so nothing is begun."""
    world = deployed()
    balancer = world.balancers["demo-shop-lb"]
    world.balancers["demo-shop-lb"] = balancer.model_copy(
        update={"provisioning_status": status}
    )
    world.lose("demo-shop-web-0-g1")
    plan = planned(SHOP, world)

    assert plan.empty
    assert [reason] == reasons(plan)
    assert "demo-shop-lb" in plan.refusals[0].detail


def test_half_built_load_balancer_is_finished():
    """One that is still being made is waited for and completed."""
    world = deployed()
    balancer = world.balancers["demo-shop-lb"]
    world.balancers["demo-shop-lb"] = balancer.model_copy(
        update={"provisioning_status": "PENDING_CREATE"}
    )

    assert kinds(planned(SHOP, world)) == ["ensure-load-balancer"]


def test_changed_listener_changes_the_load_balancer_alone():
    """Another port for users replaces no instance."""
    plan = planned(a_platform(shop={"count": 3, "port": 81}), deployed())

    assert kinds(plan) == ["ensure-load-balancer"]


def test_missing_listener_is_made_again():
    """A listener that somebody deleted is noticed."""
    world = deployed()
    balancer = world.balancers["demo-shop-lb"]
    world.balancers["demo-shop-lb"] = balancer.model_copy(update={"listeners": ()})
    (step,) = planned(SHOP, world).steps

    assert "demo-shop-http" in step.why


@pytest.mark.parametrize("port", [None, "another-port"])
def test_floating_ip_that_leads_astray_is_led_back(port):
    """To nowhere or to elsewhere: it is brought to the load balancer."""
    world = deployed()
    address = world.floating_ips["demo-shop-ip"]
    world.floating_ips["demo-shop-ip"] = address.model_copy(update={"port_id": port})

    assert kinds(planned(SHOP, world)) == ["ensure-floating-ip"]


def test_rules_widen_before_a_roll_and_narrow_after_it():
    """While old instances serve, the rules they rely on stay."""
    world, moved = deployed(), a_platform(shop={"count": 3, "app_port": 9000})
    plan = planned(moved, world)
    wide, narrow = named(plan, "ensure-security-group")

    assert (wide.spec.additive, narrow.spec.additive) == (True, False)
    assert wide.id in named(plan, "ensure-instance")[0].needs
    assert {s.id for s in named(plan, "delete-instance")} <= set(narrow.needs)
    assert planned(moved, world.perform(plan)).empty


def test_interrupted_widening_is_narrowed_later():
    """Widened rules are nobody's wish: the next plan ends them."""
    world, moved = deployed(), a_platform(shop={"count": 3, "app_port": 9000})
    plan = planned(moved, world)
    world.perform(plan, order=[s for s in plan.steps if s.why != "its rules changed"])
    (step,) = planned(moved, world).steps

    assert (step.kind, step.spec.additive) == ("ensure-security-group", False)


def test_rules_stay_wide_while_a_case_holds_an_old_instance():
    """It is not rolled, so what it relies on is not taken away."""
    world, moved = deployed(), a_platform(shop={"count": 3, "app_port": 9000})
    plan = planned(moved, world, drained=frozenset({"demo-shop-web-0-g1"}))

    assert [s.spec.additive for s in named(plan, "ensure-security-group")] == [True]


def test_rules_alone_change_the_security_group_alone():
    """Without a roll there is nothing to keep."""
    guard = SHOP.services[0].groups[0].security_group
    owner = guard.owner.model_copy(update={"digest": "other"})
    changed = with_groups(
        SHOP, security_group=guard.model_copy(update={"owner": owner, "rules": ()})
    )
    (step,) = planned(changed, deployed()).steps

    assert (step.kind, step.spec.additive) == ("ensure-security-group", False)


def test_changed_anti_affinity_is_refused():
    """Nova cannot change a server group."""
    plan = planned(a_platform(shop={"count": 3, "anti_affinity": "strict"}), deployed())

    assert plan.empty
    assert reasons(plan) == [Reason.IMMUTABLE]


def test_changed_network_is_refused():
    """Addresses are not changed in place."""
    network = SHOP.network.model_copy(update={"cidr": "10.9.0.0/24"})
    plan = planned(SHOP.model_copy(update={"network": network}), deployed())

    assert plan.empty
    assert reasons(plan) == [Reason.IMMUTABLE]


def test_half_built_network_is_finished():
    """A network without its router is completed first."""
    world = deployed()
    found = world.networks["demo-network"]
    world.networks["demo-network"] = found.model_copy(update={"router_id": None})

    assert kinds(planned(SHOP, world)) == ["ensure-network"]


@pytest.mark.parametrize(
    "stranger",
    [
        "network demo-network (n1)",
        "load-balancer demo-shop-lb (l1)",
        "floating-ip demo-shop-ip (f1)",
        "security-group demo-shop-web (s1)",
        "instance demo-shop-web-7-g3 (i1)",
        "volume demo-shop-web-0 (v1)",
    ],
)
def test_name_taken_by_a_stranger_touches_nothing(stranger):
    """While somebody else's resource stands there, not one step is planned."""
    world = World()
    world.strangers = [stranger]
    plan = planned(SHOP, world)

    assert plan.empty
    assert reasons(plan) == [Reason.NAME_TAKEN]


@pytest.mark.parametrize(
    "stranger", ["instance demo-shopping-web-0-g1 (i1)", "what is this"]
)
def test_strangers_elsewhere_do_not_matter(stranger):
    """A name that only begins like ours is nobody's concern."""
    world = World()
    world.strangers = [stranger]

    assert not planned(SHOP, world).refusals


def test_no_zone_left_is_refused():
    """When no wanted zone takes instances none is made."""
    world = World()
    world.zones = ("nova",)
    plan = planned(SHOP, world)

    assert not named(plan, "ensure-instance")
    assert reasons(plan) == [Reason.CAPACITY]


def test_zone_that_is_gone_is_left_out():
    """With one zone away the others take its instances."""
    world = World()
    world.zones = ("az1", "az3")
    plan = planned(SHOP, world)

    assert {"az1", "az3"} == {s.spec.zone for s in named(plan, "ensure-instance")}


def test_former_service_is_removed():
    """What nobody asks for any more goes, and the rest stays."""
    both = a_platform(shop={"count": 2}, blog={"count": 1})
    world = deployed(both)
    plan = planned(a_platform(shop={"count": 2}), world)
    world.perform(plan)

    assert {"demo-shop-lb"} == set(world.balancers)
    assert {"demo-shop-web"} == set(world.security_groups)
    assert len(world.instances) == 2
    assert planned(a_platform(shop={"count": 2}), world).empty


def test_volumes_of_a_former_service_stay():
    """Data goes only when a person says so."""
    both = a_platform(volume_size_gb=1, shop={"count": 1}, blog={"count": 1})
    world = deployed(both)
    plan = planned(a_platform(volume_size_gb=1, shop={"count": 1}), world)
    world.perform(plan)

    assert {"demo-shop-web-0", "demo-blog-web-0"} == set(world.volumes)
    assert reasons(plan) == [Reason.APPROVAL]


def test_former_group_is_retired_after_the_rest_serves():
    """A group that is gone from its blueprint is drained and its guards go."""
    shop = SHOP.services[0]
    group = shop.groups[0]
    guard = group.security_group
    renamed = {
        "security_group": guard.model_copy(
            update={
                "name": "demo-shop-app",
                "owner": guard.owner.model_copy(update={"group": "app"}),
            }
        ),
        "server_group": None,
        "memberships": (),
        "name": "app",
    }
    former = shop.model_copy(
        update={"groups": (group, group.model_copy(update=renamed))}
    )
    world = deployed(SHOP.model_copy(update={"services": (former,)}))
    assert len(world.instances) == 6
    plan = planned(SHOP, world)
    world.perform(plan)

    assert len(world.instances) == 3
    assert {"demo-shop-web"} == set(world.security_groups)
    assert planned(SHOP, world).empty


def test_former_group_with_a_locked_instance_stays():
    """Nothing of it goes while one is locked."""
    shop = SHOP.services[0]
    bare = {"security_group": None, "server_group": None, "memberships": ()}
    app = shop.groups[0].model_copy(update={"name": "app", **bare})
    former = shop.model_copy(update={"groups": (*shop.groups, app)})
    world = deployed(SHOP.model_copy(update={"services": (former,)}))
    world.change("demo-shop-app-0-g1", locked=True)
    plan = planned(SHOP, world)

    assert plan.empty
    assert reasons(plan) == [Reason.LOCKED]


def test_only_one_service_is_planned():
    """`only` leaves the others alone, even when they are missing or former."""
    both = a_platform(shop={"count": 1}, blog={"count": 1})
    plan = planned(both, World(), only="blog")

    assert plan.service == "blog"
    assert not [s.id for s in plan.steps if "shop" in s.id]
    with pytest.raises(KeyError):
        plan_platform(both, World().inventory(), only="bolg")


def test_dependent_service_waits_until_the_other_serves():
    """Its instances begin after the other's are awaited; its guards need not."""
    both = a_platform(shop={"count": 1}, blog={"count": 1})
    shop, blog = both.services
    waiting = both.model_copy(
        update={"services": (shop.model_copy(update={"depends_on": ("blog",)}), blog)}
    )
    plan = planned(waiting, World())
    make = next(s for s in plan.steps if s.id == "ensure-instance/demo-shop-web-0-g1")

    assert "await-serving/demo-blog-web/new" in make.needs


def test_circle_of_services_cannot_be_ordered():
    """Compile refuses it before; the planner does not hang."""
    both = a_platform(shop={"count": 1}, blog={"count": 1})
    shop, blog = both.services
    circle = (
        shop.model_copy(update={"depends_on": ("blog",)}),
        blog.model_copy(update={"depends_on": ("shop",)}),
    )
    with pytest.raises(ValueError, match="depend on each other"):
        in_order(circle)


def test_destroy_leaves_nothing():
    """Everything that carries the mark goes, volumes included, in an order the cloud allows."""
    data = a_platform(volume_size_gb=1, shop={"count": 2}, blog={"count": 1})
    world = deployed(data)
    plan = plan_destroy("demo", world.inventory())
    linter.check(plan, world.inventory())
    world.perform(plan)

    assert World().inventory() == world.inventory()
    assert plan_destroy("demo", world.inventory()).empty


def test_destroy_of_one_service_spares_the_rest():
    """The network and the other service stay."""
    world = deployed(a_platform(shop={"count": 2}, blog={"count": 1}))
    plan = plan_destroy("demo", world.inventory(), service="blog")
    linter.check(plan, world.inventory())
    world.perform(plan)

    assert {"demo-network"} == set(world.networks)
    assert {"demo-shop-lb"} == set(world.balancers)


def test_destroy_spares_other_platforms_and_strangers():
    """What does not carry this platform's mark is never named."""
    world = deployed()

    assert plan_destroy("dem", world.inventory()).empty


def test_destroy_stops_before_a_locked_instance():
    """Half a teardown helps nobody."""
    world = deployed()
    world.change("demo-shop-web-0-g1", locked=True)
    plan = plan_destroy("demo", world.inventory())

    assert plan.empty
    assert reasons(plan) == [Reason.LOCKED]


def test_half_torn_down_service_without_instances_is_destroyed():
    """What is left after a crash goes, whatever it is."""
    world = deployed()
    world.instances.clear()
    world.balancers.clear()
    world.perform(plan_destroy("demo", world.inventory()))

    assert World().inventory() == world.inventory()


def test_cloud_that_names_no_zones_is_taken_at_its_word():
    """Without a list of zones the wanted ones are used."""
    world = World()
    world.zones = ()
    plan = planned(SHOP, world)

    assert {"az1", "az2", "az3"} == {
        s.spec.zone for s in named(plan, "ensure-instance")
    }


def test_group_without_zones_leaves_the_choice_to_the_cloud():
    """No zone is asked for."""
    plan = planned(with_groups(SHOP, zones=()), World())

    assert {None} == {s.spec.zone for s in named(plan, "ensure-instance")}


def test_replacement_goes_where_fewest_are():
    """The zone that lost its instance gets the new one."""
    world = deployed()
    world.change("demo-shop-web-0-g1", zone="az2")
    world.lose("demo-shop-web-1-g1")
    (make,) = named(planned(SHOP, world), "ensure-instance")

    assert make.spec.zone == "az1"


def test_service_without_security_or_server_group():
    """Instances then wait for the network alone."""
    bare = with_groups(SHOP, security_group=None, server_group=None)
    plan = planned(bare, World())

    assert named(plan, "ensure-instance")[0].needs == ("ensure-network/demo-network",)


def test_what_has_no_place_is_nobodys():
    """An instance of the platform that belongs to no group is not touched by a deploy."""
    world = deployed()
    owner = world.instances["demo-shop-web-0-g1"].owner
    odd = world.instances["demo-shop-web-0-g1"].model_copy(
        update={
            "name": "demo-odd",
            "owner": owner.model_copy(update={"service": None, "group": None}),
        }
    )
    world.instances["demo-odd"] = odd

    assert planned(SHOP, world).empty


def test_foreign_member_of_our_pool_stays():
    """A member that somebody added by hand under another name is not ours to remove."""
    world = deployed()
    pool = world.balancers["demo-shop-lb"].pools[0]
    guest = pool.members[0].model_copy(update={"name": "guest", "id": "guest"})
    world._put_pool(pool.model_copy(update={"members": (*pool.members, guest)}))

    assert planned(SHOP, world).empty


ORDINAL = with_groups(SHOP, identity="ordinal")


def test_ports_of_a_group_come_before_its_first_instance():
    """Every instance of an ordinal group waits for every port, so that peers are known before any is made."""
    plan = planned(ORDINAL, World())
    ports = {step.id for step in named(plan, "ensure-port")}

    assert ports == {f"ensure-port/demo-shop-web-{n}" for n in range(3)}
    for make in named(plan, "ensure-instance"):
        assert ports <= set(make.needs)
        assert make.spec.port == make.spec.name.rpartition("-g")[0]


def test_an_ordinal_slot_keeps_its_address_through_a_roll():
    """The old instance goes first, and the new one has its address; the ports are never made again."""
    world = deployed(ORDINAL)
    before = {i.owner.slot: i.address for i in world.instances.values()}
    plan = planned(with_groups(ORDINAL, image="debian-13"), world)
    world.perform(plan)

    assert named(plan, "ensure-port") == []
    assert {i.owner.slot: i.address for i in world.instances.values()} == before
    assert {i.owner.generation for i in world.instances.values()} == {2}


def test_a_dead_instance_gives_its_address_back_before_the_next_one_comes():
    """What lies dead in an ordinal slot is deleted first."""
    world = deployed(ORDINAL)
    address = world.instances["demo-shop-web-1-g1"].address
    world.change("demo-shop-web-1-g1", status="SHUTOFF")
    plan = planned(ORDINAL, world)
    world.perform(plan)

    assert world.instances["demo-shop-web-1-g2"].address == address
    assert planned(ORDINAL, world).empty


def test_ports_go_with_their_slots():
    """Scaled in, the last slots lose instance and port; made cattle, all lose their ports after their instances."""
    world = deployed(ORDINAL)
    world.perform(planned(with_groups(ORDINAL, count=2), world))
    assert sorted(world.ports) == ["demo-shop-web-0", "demo-shop-web-1"]

    cattle = with_groups(ORDINAL, count=2, identity="cattle")
    world.perform(planned(cattle, world))
    assert world.ports == {}
    assert planned(cattle, world).empty


def test_a_group_that_becomes_ordinal_is_rolled():
    """An instance without its own port is outdated: only a new one can have the address."""
    world = deployed(SHOP)
    plan = planned(ORDINAL, world)
    world.perform(plan)

    assert len(named(plan, "ensure-instance")) == 3
    assert planned(ORDINAL, world).empty


def test_a_roll_cut_short_goes_on_with_whoever_does_not_serve():
    """A member that was silenced and not yet replaced is no reason to refuse the roll: it goes first."""
    pair = with_groups(a_platform(shop={"count": 2}, min_healthy=1), volume_size_gb=1)
    world = deployed(pair)
    world.set_member(POOL, "demo-shop-web-1-g1", weight=0)
    plan = planned(with_groups(pair, image="debian-13"), world)
    world.perform(plan)

    assert reasons(plan) == []
    assert sorted(world.serving(POOL)) == ["demo-shop-web-0-g2", "demo-shop-web-1-g2"]


def test_a_volume_in_a_zone_of_cinder_s_own_binds_nobody():
    """A cloud's volumes may all be in one zone that takes no instances: the next instance goes where the cloud likes."""
    free = with_groups(a_platform(shop={"count": 1}), zones=(), volume_size_gb=1)
    world = deployed(free)
    name = "demo-shop-web-0"
    world.volumes[name] = world.volumes[name].model_copy(update={"zone": "nova"})
    world.lose("demo-shop-web-0-g1")
    (make,) = named(planned(free, world), "ensure-instance")

    assert make.spec.zone is None
