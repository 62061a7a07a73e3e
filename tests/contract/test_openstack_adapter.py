"""
How the adapter meets OpenStack's moods: lost answers, twins, ERROR states, immutable load balancers, pages, expired tokens.
"""

from __future__ import annotations

import re

import fake_openstack as fake
import pytest
import requests

from fournines.cloud.errors import (
    CapacityMissing,
    CloudUnreachable,
    DeadlinePassed,
    RequestInvalid,
    ResourceFailed,
)
from fournines.cloud.openstack import balancing
from fournines.model.ownership import Owner
from fournines.model.specification import (
    InstanceSpec,
    ListenerSpec,
    LoadBalancerSpec,
    PoolSpec,
)

NAME = "demo-shop-web-0-g1"
OURS = Owner(platform="demo", service="shop")
SPEC = InstanceSpec(
    name=NAME, owner=OURS, image="debian-12", flavor="m1.tiny", network="demo-network"
)
ONE = f"{fake.NOVA}/servers/id-{NAME}"
SERVERS = f"{fake.NOVA}/servers"


@pytest.fixture
def mock(mock):
    """
    The canned cloud with an image and a flavor.
    """
    mock.get(
        f"{fake.GLANCE}/v2/images",
        json={"images": [{"id": "i1", "name": "debian-12", "status": "active"}]},
    )
    flavor = {"id": "f1", "name": "m1.tiny", "vcpus": 1, "ram": 512, "disk": 1}
    mock.get(f"{fake.NOVA}/flavors/detail", json={"flavors": [flavor]})
    mock.get(f"{fake.NET}/networks", json={"networks": [{"id": "n1"}]})
    return mock


def listed(*servers):
    """
    Nova's list.
    """
    return {"json": {"servers": list(servers)}}


def balancer(status="ACTIVE"):
    """
    A load balancer of ours, as Octavia tells of it.
    """
    return {
        "id": "lb1",
        "name": "demo-shop-lb",
        "tags": list(OURS.tags()),
        "provisioning_status": status,
        "operating_status": "ONLINE",
        "vip_port_id": "port1",
        "vip_subnet_id": "s1",
        "vip_address": "10.0.0.2",
        "pools": [{"id": "pool1"}],
    }


def octavia(mock, *statuses):
    """
    A load balancer with one pool and one member; its status is the next of these each time it is read.
    """
    bodies = [{"json": {"loadbalancer": balancer(one)}} for one in statuses]
    mock.get(f"{fake.LBAAS}/loadbalancers/lb1", bodies)
    mock.get(f"{fake.LBAAS}/loadbalancers", json={"loadbalancers": [balancer()]})
    pool = {"id": "pool1", "name": "web"}
    mock.get(f"{fake.LBAAS}/pools", json={"pools": [pool]})
    member = {"id": "m1", "name": NAME}
    mock.get(f"{fake.LBAAS}/pools/pool1/members", json={"members": [member]})


def test_a_create_whose_answer_is_lost_is_found_not_doubled(mock, cloud):
    """
    The POST takes effect and its answer never comes: the next look finds the server, and no second one is made.
    """
    mock.get(fake.SERVERS, [listed(), listed(fake.server(NAME))])
    mock.post(SERVERS, exc=requests.exceptions.ReadTimeout)
    mock.get(ONE, json={"server": fake.server(NAME)})

    made = cloud.ensure_instance(SPEC, deadline_seconds=30)

    assert made.id == f"id-{NAME}"
    assert fake.sent(mock, "POST", SERVERS) == 1


def test_of_twins_the_oldest_stays(mock, cloud):
    """
    Two servers of ours bear one name: the younger is deleted.
    """
    young = fake.server(NAME, created="2026-01-01T00:00:09Z", id="young")
    mock.get(fake.SERVERS, **listed(young, fake.server(NAME)))
    mock.delete(f"{SERVERS}/young", status_code=204)
    mock.get(ONE, json={"server": fake.server(NAME)})

    made = cloud.ensure_instance(SPEC, deadline_seconds=30)

    assert made.id == f"id-{NAME}"
    assert fake.sent(mock, "DELETE", f"{SERVERS}/young") == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("No valid host was found. There are not enough hosts.", CapacityMissing),
        ("Build of instance aborted: volume is gone", ResourceFailed),
    ],
)
def test_a_server_that_fails_is_deleted_and_its_fault_told(mock, cloud, fault, kind):
    """
    A server in ERROR leaves nothing behind, and the error carries Nova's own words.
    """
    broken = fake.server(NAME, "ERROR", fault={"message": fault})
    mock.get(fake.SERVERS, **listed())
    mock.post(SERVERS, json={"server": {"id": f"id-{NAME}"}}, status_code=202)
    mock.get(ONE, [{"json": {"server": broken}}, {"status_code": 404}])
    mock.delete(ONE, status_code=204)

    with pytest.raises(kind, match=fault[:20]):
        cloud.ensure_instance(SPEC, deadline_seconds=30)

    assert fake.sent(mock, "DELETE", ONE) == 1


def test_the_first_look_at_a_new_server_is_not_after_the_deadline(
    mock, cloud, monkeypatch
):
    """
    A deadline shorter than a build is kept: what is slept before the first look is no more than is left.
    """
    slept = []
    monkeypatch.setattr(
        fake.QuickClock, "sleep", lambda _, seconds: slept.append(seconds)
    )
    mock.get(fake.SERVERS, **listed())
    mock.post(SERVERS, json={"server": {"id": f"id-{NAME}"}}, status_code=202)
    mock.get(ONE, json={"server": fake.server(NAME, "BUILD")})

    with pytest.raises(DeadlinePassed):
        cloud.ensure_instance(SPEC, deadline_seconds=0.2)

    assert slept
    assert max(slept) <= 0.2


def test_an_error_that_stays_is_not_tried_again(mock, cloud):
    """
    A request that is wrong fails once.
    """
    mock.get(fake.SERVERS, **listed())
    mock.post(SERVERS, status_code=400, json={"badRequest": {"message": "wrong"}})

    with pytest.raises(RequestInvalid, match="wrong"):
        cloud.ensure_instance(SPEC, deadline_seconds=30)

    assert fake.sent(mock, "POST", SERVERS) == 1


def test_retries_end(mock, cloud):
    """
    A cloud that stays broken is tried as often as the settings say, and no oftener.
    """
    mock.get(fake.SERVERS, status_code=503)

    with pytest.raises(CloudUnreachable):
        cloud.delete_instance(NAME, deadline_seconds=30)

    assert fake.sent(mock, "GET", fake.SERVERS) == 4


def test_lists_come_in_pages_whose_links_may_name_another_host(mock, cloud):
    """
    Every page is read; of its link only the query is used, since proxies write wrong hosts.
    """
    link = {"rel": "next", "href": "http://inside.invalid/servers/detail?marker=1"}
    first = {"json": {"servers": [fake.server("x")], "servers_links": [link]}}
    mock.get(fake.SERVERS, [first, listed(fake.server(NAME))])
    mock.delete(ONE, status_code=204)
    mock.get(ONE, status_code=404)

    cloud.delete_instance(NAME, deadline_seconds=30)

    assert fake.sent(mock, "DELETE", ONE) == 1


def test_a_token_that_expired_is_renewed_unseen(mock, cloud):
    """
    A 401 to a token that was good leads to a new token and the same request again.
    """
    mock.get(fake.SERVERS, [{"status_code": 401}, listed()])

    cloud.delete_instance(NAME, deadline_seconds=30)

    assert fake.sent(mock, "POST", f"{fake.KEYSTONE}/auth/tokens") == 2


def test_an_immutable_load_balancer_is_waited_for(mock, cloud):
    """
    A change that meets somebody else's is sent again when theirs is carried out.
    """
    octavia(mock, "PENDING_UPDATE", "ACTIVE", "ACTIVE")
    put = f"{fake.LBAAS}/pools/pool1/members/m1"
    immutable = {"json": {"faultstring": "immutable"}, "status_code": 409}
    mock.put(put, [immutable, {"json": {}}])

    cloud.set_weight("demo-shop-lb", "web", NAME, 0, deadline_seconds=30)

    assert fake.sent(mock, "PUT", put) == 2


def test_a_load_balancer_in_error_is_not_waited_for(mock, cloud):
    """
    ERROR is immutable for good: the change fails, names the part, and says what an administrator can do.
    """
    octavia(mock, "ERROR")
    member = {"id": "m1", "name": NAME, "provisioning_status": "ERROR"}
    pool = {"id": "pool1", "provisioning_status": "ACTIVE", "members": [member]}
    mock.get(
        re.compile(rf"{re.escape(fake.LBAAS)}/loadbalancers/[^/]+/status$"),
        json={"statuses": {"loadbalancer": {"listeners": [], "pools": [pool]}}},
    )
    put = f"{fake.LBAAS}/pools/pool1/members/m1"
    mock.put(put, status_code=409, json={"faultstring": "immutable"})

    with pytest.raises(ResourceFailed, match=rf"member {NAME}.*failover"):
        cloud.set_weight("demo-shop-lb", "web", NAME, 0, deadline_seconds=30)

    assert fake.sent(mock, "PUT", put) == 1


def test_the_first_move_of_a_healing_is_one_call(mock, cloud):
    """
    Once the pool was read, weight 0 is sent at once: no look-up comes before it.
    """
    octavia(mock, "ACTIVE")
    mock.get(
        f"{fake.LBAAS}/pools/pool1/members",
        json={
            "members": [
                {
                    "id": "m1",
                    "name": NAME,
                    "address": "10.0.0.5",
                    "protocol_port": 8080,
                    "weight": 1,
                    "operating_status": "ONLINE",
                    "provisioning_status": "ACTIVE",
                }
            ]
        },
    )
    mock.put(f"{fake.LBAAS}/pools/pool1/members/m1", json={})
    cloud.pool("demo-shop-lb", "web")
    before = len(mock.request_history)

    cloud.set_weight("demo-shop-lb", "web", NAME, 0, deadline_seconds=30)

    assert mock.request_history[before].method == "PUT"


def test_ids_that_are_no_longer_true_are_looked_up_again(mock, cloud):
    """
    A load balancer that was made anew has other ids: a 404 to a remembered one leads to a fresh look.
    """
    octavia(mock, "ACTIVE")
    good = f"{fake.LBAAS}/pools/pool1/members/m1"
    stale = f"{fake.LBAAS}/pools/old/members/m0"
    cloud.context.known.put("pool", "demo-shop-lb/web", "old")
    cloud.context.known.put("member", f"demo-shop-lb/web/{NAME}", "m0")
    cloud.context.known.put("balancer", "demo-shop-lb", balancer())
    mock.put(stale, status_code=404, json={"faultstring": "pool not found"})
    mock.put(good, json={})

    cloud.set_weight("demo-shop-lb", "web", NAME, 0, deadline_seconds=30)

    assert fake.sent(mock, "PUT", good) == 1


def test_a_provider_without_metrics_gets_a_load_balancer_without_them(mock, cloud):
    """
    When the provider cannot do PROMETHEUS listeners, the load balancer is made without; it is not refused.
    """
    octavia(mock, "ACTIVE")
    mock.get(f"{fake.LBAAS}/loadbalancers", json={"loadbalancers": []})
    mock.get(f"{fake.NET}/subnets", json={"subnets": [{"id": "s1"}]})
    mock.get(f"{fake.LBAAS}/listeners", json={"listeners": []})
    unable = {"status_code": 501, "json": {"faultstring": "PROMETHEUS unsupported"}}
    made = {"json": {"loadbalancer": balancer()}}
    post = mock.post(f"{fake.LBAAS}/loadbalancers", [unable, made])
    spec = LoadBalancerSpec(
        name="demo-shop-lb",
        owner=OURS,
        network="demo-network",
        listeners=(
            ListenerSpec(name="http", protocol="HTTP", port=80, pool="web"),
            ListenerSpec(name="metrics", protocol="PROMETHEUS", port=9109),
        ),
        pools=(PoolSpec(name="web"),),
    )

    cloud.ensure_load_balancer(spec, deadline_seconds=30)

    first, second = (one.json()["loadbalancer"] for one in post.request_history)
    assert [one["protocol"] for one in first["listeners"]] == ["HTTP", "PROMETHEUS"]
    assert [one["protocol"] for one in second["listeners"]] == ["HTTP"]


@pytest.mark.parametrize(
    ("present", "wanted", "sent"),
    [
        pytest.param(["10.0.0.0/8"], (), [], id="anybody-again-is-sent"),
        pytest.param(None, (), None, id="no-restriction-is-told-as-null"),
        pytest.param(None, ("10.0.0.0/8",), ["10.0.0.0/8"], id="narrowed"),
        pytest.param(["b", "a"], ("a", "b"), None, id="order-does-not-matter"),
    ],
)
def test_who_may_come_in_is_brought_up_to_date(present, wanted, sent):
    """
    A listener's allowed_cidrs are changed when they differ, the emptied list included.
    """
    spec = ListenerSpec(
        name="http", protocol="HTTP", port=80, pool="web", allowed_cidrs=wanted
    )
    body = balancing.listener(spec)

    changes = balancing.differences(body, body | {"allowed_cidrs": present})

    assert changes.get("allowed_cidrs") == sent
    assert ("allowed_cidrs" in balancing.said(body)) == bool(wanted)


def _empty_lists(mock):
    """
    A project with nothing in it.
    """
    nothing = {
        fake.NOVA: ("servers/detail", "os-server-groups", "os-availability-zone"),
        fake.NET: (
            *("networks", "subnets", "routers", "ports", "floatingips"),
            *("security-groups", "security-group-rules"),
        ),
        fake.LBAAS: ("loadbalancers", "listeners", "pools", "healthmonitors"),
        fake.CINDER: ("volumes/detail",),
    }
    for root, paths in nothing.items():
        for path in paths:
            key = path.split("/")[0].replace("-", "_").removeprefix("os_")
            key = "availabilityZoneInfo" if "zone" in key else key
            mock.get(f"{root}/{path}", json={key: []})


def test_what_only_deploys_change_is_not_read_at_each_look(mock, cloud):
    """
    A healer's second look lists instances and members again, and networks not; closely everything is read; and so it is after a change of our own.
    """
    _empty_lists(mock)
    networks, ports = (f"{fake.NET}/{what}" for what in ("networks", "ports"))

    cloud.inventory("demo")
    cloud.inventory("demo", "shop")
    assert (fake.sent(mock, "GET", networks), fake.sent(mock, "GET", ports)) == (1, 2)

    cloud.inventory("demo", closely=True)
    assert fake.sent(mock, "GET", networks) == 2

    mock.put(f"{fake.NET}/networks/n1/tags", json={"tags": []})
    connection = cloud.context.connection
    connection.send("PUT", "network", "/networks/n1/tags", "tagging", body={})
    cloud.inventory("demo")
    assert fake.sent(mock, "GET", networks) == 3


def test_a_look_at_who_serves_asks_for_servers_and_members_alone(mock, cloud):
    """
    Looked at every second, a service costs its servers and its pools' members; what is around them is read once, and again after a change of ours.
    """
    _empty_lists(mock)
    servers, ports, pools, volumes = (
        fake.SERVERS,
        f"{fake.NET}/ports",
        f"{fake.LBAAS}/pools",
        f"{fake.CINDER}/volumes/detail",
    )

    def sent():
        return [fake.sent(mock, "GET", url) for url in (servers, ports, pools, volumes)]

    cloud.serving("demo", "shop")
    cloud.serving("demo", "shop")
    assert sent() == [2, 1, 1, 0]

    mock.put(f"{fake.NET}/ports/p1/tags", json={"tags": []})
    connection = cloud.context.connection
    connection.send("PUT", "network", "/ports/p1/tags", "tagging", body={})
    cloud.serving("demo", "shop")
    assert sent() == [3, 2, 1, 0]
