"""
Desired x observed -> plan: what goes, services among themselves, and places.
"""

import pytest

from blueprints.diff import in_order, plan_destroy, plan_platform
from fournines.model.refusal import Reason
from fournines.planning import linter
from tests.decide.diff_world import SHOP, deployed, named, planned, reasons
from tests.decide.planned_world import World, a_platform, with_groups


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
    world.put_pool(pool.model_copy(update={"members": (*pool.members, guest)}))

    assert planned(SHOP, world).empty
