"""
Desired x observed -> plan: what groups share, and what strangers have.
"""

import pytest

from fournines.model.refusal import Reason
from tests.decide.diff_world import SHOP, deployed, kinds, named, planned, reasons
from tests.decide.planned_world import World, a_platform, with_groups


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
