"""
The contract of load balancers, members and floating IPs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cloud_rig import SECONDS

from fournines.cloud.errors import ResourceMissing
from fournines.model import traits
from fournines.model.specification import HealthMonitorSpec, MemberSpec, PoolSpec


@pytest.fixture(scope="module", autouse=True)
def _base(rig):
    rig.base()
    rig.cloud.ensure_load_balancer(rig.load_balancer(), deadline_seconds=SECONDS)
    for slot in (0, 1):
        rig.cloud.ensure_instance(rig.instance(slot), deadline_seconds=SECONDS)


def member(rig, slot, weight=1):
    """
    A member specification.
    """
    return MemberSpec(instance=rig.name(slot), port=8080, weight=weight)


def names(rig):
    """
    The members of the pool, by name.
    """
    pool = rig.cloud.pool(rig.balancer, rig.group)
    return {one.name: one for one in pool.members}


def join(rig, *members):
    """
    Join them.
    """
    rig.cloud.join_pool(rig.balancer, rig.group, members, deadline_seconds=SECONDS)


def test_a_load_balancer_is_made_once_with_everything_in_it(rig):
    """
    One ensure makes load balancer, listeners and pool; another finds them unchanged.
    """
    spec = rig.load_balancer()
    first = rig.cloud.ensure_load_balancer(spec, deadline_seconds=SECONDS)
    second = rig.cloud.ensure_load_balancer(spec, deadline_seconds=SECONDS)

    assert first.id == second.id
    assert first.provisioning_status == "ACTIVE"
    assert {one.name: one.id for one in first.listeners} == {
        one.name: one.id for one in second.listeners
    }
    assert {one.protocol for one in first.listeners} == {"HTTP", "PROMETHEUS"}
    assert [pool.name for pool in first.pools] == [rig.group]
    http = next(one for one in first.listeners if one.protocol == "HTTP")
    assert http.pool_id == first.pools[0].id


def test_a_load_balancer_is_brought_up_to_date_in_place(rig):
    """
    Another algorithm, health check and time-out change pool and listener, not their ids; members stay.
    """
    join(rig, member(rig, 0))
    before = rig.cloud.ensure_load_balancer(
        rig.load_balancer(), deadline_seconds=SECONDS
    )
    pool = PoolSpec(
        name=rig.group,
        algorithm="LEAST_CONNECTIONS",
        health=HealthMonitorSpec(delay_seconds=2),
    )
    spec = rig.load_balancer(pool, timeout_member_data_ms=3000)

    after = rig.cloud.ensure_load_balancer(spec, deadline_seconds=SECONDS)

    assert {one.id for one in before.listeners} == {one.id for one in after.listeners}
    assert before.pools[0].id == after.pools[0].id
    assert rig.name(0) in names(rig)
    rig.cloud.ensure_load_balancer(rig.load_balancer(), deadline_seconds=SECONDS)


@pytest.mark.parametrize(
    ("part", "trait", "value"),
    [
        pytest.param("listener", "connection_limit", 5, id="connection-limit"),
        pytest.param("listener", "timeout_member_data_ms", 60_000, id="time-out"),
        pytest.param("listener", "pool", None, id="default-pool"),
        pytest.param("pool", "algorithm", "SOURCE_IP", id="algorithm"),
        pytest.param("pool", "check_delay_seconds", 30, id="delay-of-the-check"),
        pytest.param("pool", "check_admin_up", False, id="check-switched-off"),
        pytest.param("pool", "check", None, id="check-deleted"),
    ],
)
def test_a_setting_changed_by_hand_is_seen_and_put_back(rig, part, trait, value):
    """
    Looked at closely, a load balancer says what it is set to: as asked for, otherwise after somebody's change, and as asked for once ensured again.
    """
    spec = rig.load_balancer()
    rig.cloud.ensure_load_balancer(spec, deadline_seconds=SECONDS)
    name = spec.listeners[0].name if part == "listener" else rig.group

    assert told(rig, spec) == ""

    rig.tamper(name, trait, value)

    assert told(rig, spec).startswith(f"{trait} is ")

    rig.cloud.ensure_load_balancer(spec, deadline_seconds=SECONDS)

    assert told(rig, spec) == ""
    seen = rig.cloud.inventory(rig.platform).load_balancer(rig.balancer)
    assert seen.listeners[0].traits == seen.pools[0].traits == {}


def told(rig, spec):
    """
    What of a load balancer is set otherwise than specified.
    """
    seen = rig.cloud.inventory(rig.platform, closely=True).load_balancer(rig.balancer)
    wanted = {one.name: traits.of_listener(one) for one in spec.listeners}
    wanted |= {one.name: traits.of_pool(one) for one in spec.pools}
    differs = (
        traits.differing(wanted[one.name], one.traits)
        for one in (*seen.listeners, *seen.pools)
    )
    return ", ".join(filter(None, differs))


def test_members_join_in_one_change_and_go_online(rig):
    """
    Members join together, keep out of nobody's way, and are ONLINE once they serve.
    """
    join(rig, member(rig, 0), member(rig, 1))
    join(rig, member(rig, 0))

    found = names(rig)
    assert set(found) == {rig.name(0), rig.name(1)}
    assert all(one.address and one.port == 8080 for one in found.values())
    assert rig.until(
        lambda: {one.operating_status for one in names(rig).values()} == {"ONLINE"}
    )


def test_weight_zero_is_one_reversible_move(rig):
    """
    A weight is set and set back; setting it twice is no error; the others keep theirs.
    """
    join(rig, member(rig, 0), member(rig, 1))
    for weight in (0, 0, 1):
        rig.cloud.set_weight(
            rig.balancer, rig.group, rig.name(0), weight, deadline_seconds=SECONDS
        )
        found = names(rig)
        assert (found[rig.name(0)].weight, found[rig.name(1)].weight) == (weight, 1)


def test_changes_of_one_load_balancer_queue_up(rig):
    """
    Changes made by many threads at once all succeed: nobody meets an immutable load balancer.
    """
    join(rig, member(rig, 0), member(rig, 1))

    def weigh(number):
        rig.cloud.set_weight(
            rig.balancer,
            rig.group,
            rig.name(number % 2),
            1 + number,
            deadline_seconds=SECONDS,
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(weigh, range(4)))

    found = names(rig)
    assert found[rig.name(0)].weight in {1, 3}
    assert found[rig.name(1)].weight in {2, 4}


def test_members_leave(rig):
    """
    Members leave in one change; leaving twice, or never having been there, is no error.
    """
    join(rig, member(rig, 0), member(rig, 1))
    for leaving in ([rig.name(0)], [rig.name(0), f"{rig.platform}-never"]):
        rig.cloud.leave_pool(rig.balancer, rig.group, leaving, deadline_seconds=SECONDS)
    assert set(names(rig)) == {rig.name(1)}

    join(rig, member(rig, 0))
    both = [rig.name(0), rig.name(1)]
    rig.cloud.leave_pool(rig.balancer, rig.group, both, deadline_seconds=SECONDS)

    assert names(rig) == {}


def test_who_is_not_there_cannot_be_weighed_or_joined(rig):
    """
    A member, a pool, a load balancer or an instance that does not exist is ResourceMissing.
    """
    missing = f"{rig.platform}-never"
    with pytest.raises(ResourceMissing):
        rig.cloud.set_weight(
            rig.balancer, rig.group, missing, 0, deadline_seconds=SECONDS
        )
    with pytest.raises(ResourceMissing):
        rig.cloud.pool(rig.balancer, missing)
    with pytest.raises(ResourceMissing):
        rig.cloud.pool(missing, rig.group)
    with pytest.raises(ResourceMissing):
        join(rig, MemberSpec(instance=missing, port=80))


def test_a_floating_ip_leads_to_the_load_balancer(rig):
    """
    A floating IP is made once, is known as the load balancer's, and leads nowhere when that is gone.
    """
    spec = rig.floating_ip()
    first = rig.cloud.ensure_floating_ip(spec, deadline_seconds=SECONDS)
    second = rig.cloud.ensure_floating_ip(spec, deadline_seconds=SECONDS)
    found = rig.cloud.inventory(rig.platform, "shop")

    assert first == second
    assert [ip.name for ip in found.floating_ips] == [spec.name]
    balancer = found.load_balancer(rig.balancer)
    assert balancer is not None
    assert balancer.floating_address == first.address
    assert balancer.vip_port_id == first.port_id


def test_who_serves_is_seen_as_the_inventory_sees_it(rig):
    """
    Instances, ports and load balancers with their members, as in the whole inventory; and nothing else.
    """
    join(rig, member(rig, 0))
    whole = rig.cloud.inventory(rig.platform, "shop")
    seen = rig.cloud.serving(rig.platform, "shop")

    assert seen.load_balancer(rig.balancer) == whole.load_balancer(rig.balancer)
    assert [one.name for one in seen.load_balancers[0].pools[0].members] == [
        rig.name(0)
    ]
    assert (seen.instances, seen.ports) == (whole.instances, whole.ports)
    assert (seen.networks, seen.volumes, seen.images) == ((), (), ())


def test_a_load_balancer_is_deleted_whole(rig):
    """
    Deleting it takes listeners, pools and members along; a new one of that name starts empty.
    """
    join(rig, member(rig, 0))
    rig.cloud.delete_load_balancer(rig.balancer, deadline_seconds=SECONDS)
    gone = rig.cloud.inventory(rig.platform).load_balancers

    anew = rig.cloud.ensure_load_balancer(rig.load_balancer(), deadline_seconds=SECONDS)

    assert gone == ()
    assert anew.pools[0].members == ()
    assert names(rig) == {}
