"""
One setting that somebody changed by hand is seen and told, and put back by the step that keeps the whole resource. What is not told differs
from nothing.
"""

import pytest

from fournines.model import traits
from fournines.model.specification import (
    HealthMonitorSpec,
    ListenerSpec,
    PoolSpec,
    SecurityRule,
    Transport,
)
from tests.decide.diff_world import POOL, SHOP, deployed, kinds, named, planned

BALANCER, LISTENER = "demo-shop-lb", "demo-shop-http"
LISTENED = ListenerSpec(name="l", protocol="HTTP", port=80, pool="p")
MEASURED = ListenerSpec(name="m", protocol="PROMETHEUS", port=9109)
POOLED = PoolSpec(name="p")


def with_traits(world, name, changes):
    """A listener or pool of a world, looked at closely, with something set otherwise."""
    balancer = world.balancers[BALANCER]
    spec = next(b for s in SHOP.services for b in s.load_balancers)
    wanted = {one.name: traits.of_listener(one) for one in spec.listeners}
    wanted |= {one.name: traits.of_pool(one) for one in spec.pools}

    def seen(parts):
        return tuple(
            one.model_copy(
                update={
                    "traits": wanted[one.name] | (changes if one.name == name else {})
                }
            )
            for one in parts
        )

    world.balancers[BALANCER] = balancer.model_copy(
        update={"listeners": seen(balancer.listeners), "pools": seen(balancer.pools)}
    )
    return world


@pytest.mark.parametrize(
    "wanted", [traits.of_listener(LISTENED), traits.of_pool(POOLED)]
)
def test_each_trait_is_missed_when_it_is_another(wanted):
    """Whatever a listener, a pool or its check is set to: another value of it is told, alone, with both values."""
    for key in wanted:
        told = traits.differing(wanted, wanted | {key: "else"})

        assert told.startswith(f"{key} is else and should be ")
        assert told.count(" should be ") == 1


@pytest.mark.parametrize(
    ("wanted", "found", "told"),
    [
        pytest.param({"a": 1}, {"a": 1}, "", id="as-it-should-be"),
        pytest.param({"a": 1}, {}, "", id="not-told-of"),
        pytest.param({}, {"a": 1}, "", id="nothing-was-asked-for"),
        pytest.param({"a": None}, {"a": 5}, "a is 5 and should be none", id="limited"),
        pytest.param({"a": True}, {"a": False}, "a is no and should be yes", id="down"),
        pytest.param(
            {"a": []},
            {"a": ["10.0.0.0/8", "1.1.1.1/32"]},
            "a is 10.0.0.0/8 1.1.1.1/32 and should be none",
            id="narrowed",
        ),
        pytest.param(
            {"a": 1, "b": 2},
            {"a": 2, "b": 1},
            "a is 2 and should be 1, b is 1 and should be 2",
            id="two-at-once",
        ),
    ],
)
def test_what_differs_is_told(wanted, found, told):
    """Name, what it is and what it should be; nothing else."""
    assert told == traits.differing(wanted, found)


def test_a_metrics_listener_has_neither_pool_nor_time_outs():
    """What Octavia refuses for PROMETHEUS listeners is not asked for."""
    assert not {"pool", "timeout_member_data_ms"} & traits.of_listener(MEASURED).keys()


def test_a_check_of_the_port_asks_for_no_page():
    """A TCP check has no path, and so none that could be another."""
    check = traits.of_check(HealthMonitorSpec(kind="TCP"))

    assert not {"check_path", "check_method", "check_expected_codes"} & check.keys()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        pytest.param(SecurityRule(port_min=80), "tcp 80 from anywhere", id="one-port"),
        pytest.param(
            SecurityRule(port_min=1, port_max=9, remote_cidr="10.0.0.0/8"),
            "tcp 1-9 from 10.0.0.0/8",
            id="a-range-from-somewhere",
        ),
        pytest.param(
            SecurityRule(transport=Transport.ICMP, port_min=3),
            "icmp from anywhere",
            id="no-ports",
        ),
        pytest.param(
            SecurityRule(port_min=22, remote_cidr="0.0.0.0/0"),
            "tcp 22 from anywhere",
            id="anywhere-has-two-names",
        ),
    ],
)
def test_a_rule_is_said(rule, said):
    """One clause for each rule; equal clauses are equal rules."""
    assert said == traits.of_rule(rule)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(None, "", id="nobody-looked"),
        pytest.param(["tcp 80 from anywhere"], "", id="as-asked-for"),
        pytest.param([], "it does not let in tcp 80 from anywhere", id="lacking"),
        pytest.param(
            ["tcp 80 from anywhere", "udp 53 from anywhere"],
            "it lets in udp 53 from anywhere, which nobody asked for",
            id="too-many",
        ),
    ],
)
def test_rules_that_differ_are_told(found, said):
    """Which are missing, which are too many, and nothing when nobody looked."""
    assert said == traits.rules_differing([SecurityRule(port_min=80)], found)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param(LISTENER, {"connection_limit": 5}, id="connection-limit"),
        pytest.param(LISTENER, {"timeout_member_data_ms": 9}, id="time-out"),
        pytest.param(LISTENER, {"pool": None}, id="default-pool"),
        pytest.param(LISTENER, {"admin_up": False}, id="listener-disabled"),
        pytest.param(POOL, {"algorithm": "SOURCE_IP"}, id="algorithm"),
        pytest.param(POOL, {"check_delay_seconds": 60}, id="delay-of-the-check"),
        pytest.param(POOL, {"check": None}, id="check-deleted"),
    ],
)
def test_one_setting_brings_the_load_balancer_up_to_date_and_nothing_else(
    name, changes
):
    """One step, that says what was found; no instance is named."""
    (step,) = planned(SHOP, with_traits(deployed(), name, changes)).steps

    assert step.kind == "ensure-load-balancer"
    assert step.why == f"{name}: {traits.differing(wanted_of(name), changes)}"


def wanted_of(name):
    """What a part of the load balancer should be set to."""
    spec = next(b for s in SHOP.services for b in s.load_balancers)
    found = {one.name: traits.of_listener(one) for one in spec.listeners}
    return (found | {one.name: traits.of_pool(one) for one in spec.pools})[name]


def test_what_is_set_as_it_should_be_needs_nothing():
    """Looked at closely, an unchanged platform has an empty plan."""
    assert planned(SHOP, with_traits(deployed(), "nobody", {})).empty


def test_a_rule_that_somebody_added_is_taken_away():
    """The security group alone is brought up to date."""
    world = deployed()
    guard = world.security_groups["demo-shop-web"]
    world.security_groups["demo-shop-web"] = guard.model_copy(
        update={"rules": ("tcp 22 from anywhere",)}
    )
    (step,) = planned(SHOP, world).steps

    assert step.kind == "ensure-security-group"
    assert "it lets in tcp 22 from anywhere" in step.why


@pytest.mark.parametrize(
    ("unmeasured", "expected"), [(False, ["ensure-load-balancer"]), (True, [])]
)
def test_a_lost_metrics_listener_is_missed_where_there_can_be_one(unmeasured, expected):
    """Deleted by somebody it comes back; where the provider refused it nobody asks again and again."""
    world = deployed()
    balancer = world.balancers[BALANCER]
    kept = tuple(one for one in balancer.listeners if one.protocol != "PROMETHEUS")
    world.balancers[BALANCER] = balancer.model_copy(
        update={"listeners": kept, "unmeasured": unmeasured}
    )

    assert kinds(planned(SHOP, world)) == expected


def test_a_member_that_somebody_disabled_joins_again():
    """Its weight says it serves, its administrative state says it does not."""
    world = deployed()
    world.set_member(POOL, "demo-shop-web-0-g1", admin_up=False)
    plan = planned(SHOP, world)

    assert kinds(plan) == ["join-pool", "await-serving"]
    assert named(plan, "join-pool")[0].members[0].instance == "demo-shop-web-0-g1"
