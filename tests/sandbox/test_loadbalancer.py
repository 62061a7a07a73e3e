"""
Load balancers of the embedded cloud: what users, operators and Octavia's API see.

Members are stand-ins (a plugged port with an HTTP server), so that a test can make one
misbehave at once; the host reaches VIP and members as it reaches any routable subnet.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from keystoneauth1.exceptions import ConnectFailure
from openstack.exceptions import HttpException, NotFoundException

pytestmark = pytest.mark.sandbox

HERE = Path(__file__).parent / "loadbalancer"

SETTLE_SECONDS_MAX = 30
"""A change takes 0.3 s on a quiet machine; tests may run on a busy one."""


@dataclass(frozen=True)
class StandIn:
    """
    One member that obeys.
    """

    name: str
    address: str
    port_id: str
    process: subprocess.Popen

    def behave(self, **orders):
        """Change how it answers."""
        httpx.put(f"http://{self.address}/behave", json=orders, timeout=5)


@dataclass(frozen=True)
class Balancer:
    """
    A load balancer with one HTTP listener, a metrics listener and two members.
    """

    connection: object
    identifier: str
    vip: str
    listener: str
    pool: str
    members: dict

    @property
    def api(self):
        """Octavia."""
        return self.connection.load_balancer

    def settle(self):
        """Wait until changes are allowed again."""
        return settled(self.connection, self.identifier)

    def weigh(self, name, weight):
        """Give a member a weight."""
        self.api.update_member(self.members[name], self.pool, weight=weight)
        self.settle()

    def statuses(self):
        """Operating status by member's name."""
        found = self.api.members(self.pool)
        return {item.name: item.operating_status for item in found}

    def ask(self, path="/", **more):
        """One request through the VIP."""
        return httpx.get(f"http://{self.vip}{path}", timeout=5, **more)

    def answering(self, requests=10):
        """Which members answer so many requests."""
        return Counter(self.ask().text for _ in range(requests))

    def metrics(self):
        """What the PROMETHEUS listener says."""
        return httpx.get(f"http://{self.vip}:8088/metrics", timeout=5).text


def settled(connection, identifier):
    """
    The load balancer once it is not pending any more; None when it is gone.
    """
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            found = connection.load_balancer.get_load_balancer(identifier)
        except NotFoundException:
            return None
        if not found.provisioning_status.startswith("PENDING_"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{identifier} is still {found.provisioning_status}")


@pytest.fixture(scope="module")
def subnet(member):
    """
    A routed subnet whose addresses the host reaches.
    """
    public = member.network.find_network("public")
    network = member.network.create_network(name="balancing")
    subnet = member.network.create_subnet(
        name="balancing",
        network_id=network.id,
        ip_version=4,
        use_default_subnet_pool=True,
        prefix_length=26,
    )
    router = member.network.create_router(
        name="balancing", external_gateway_info={"network_id": public.id}
    )
    member.network.add_interface_to_router(router, subnet_id=subnet.id)
    yield subnet
    member.network.remove_interface_from_router(router, subnet_id=subnet.id)
    member.network.delete_router(router)
    member.network.delete_network(network)


@pytest.fixture(scope="module")
def stand_ins(cloud, member, subnet):
    """
    Two members.
    """
    group = member.network.create_security_group(name="balancing")
    member.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        ethertype="IPv4",
        protocol="tcp",
        port_range_min=80,
        port_range_max=80,
    )
    started = [stand_in(cloud, member, subnet, group, name) for name in ("a", "b")]
    yield {item.name: item for item in started}
    for item in started:
        item.process.kill()
        item.process.wait()
        member.network.delete_port(item.port_id)
        netns = f"{cloud.prefix}-vm-{item.port_id[:13]}"
        subprocess.run(["ip", "netns", "delete", netns], check=False)
    member.network.delete_security_group(group)


def stand_in(cloud, member, subnet, group, name):
    """
    Make a port and start what answers behind it.
    """
    port = member.network.create_port(
        name=name, network_id=subnet.network_id, security_groups=[group.id]
    )
    address = port.fixed_ips[0]["ip_address"]
    length = subnet.cidr.partition("/")[2]
    words = (name, port.id, port.network_id, port.mac_address)
    process = subprocess.Popen(
        [
            str(cloud.python),
            str(HERE / "stand_in.py"),
            *words,
            f"{address}/{length}",
            subnet.gateway_ip,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "FOURNINES_SANDBOX_HOME": str(cloud.home),
            "FOURNINES_SANDBOX_SLOT": str(cloud.slot),
        },
    )
    assert process.stdout.readline().startswith("ready")
    process.stdout.close()
    return StandIn(name, address, port.id, process)


@pytest.fixture(scope="module")
def balancer(member, subnet, stand_ins):
    """
    The load balancer under test, made in one request.
    """
    made = member.load_balancer.create_load_balancer(
        name="balancing",
        vip_subnet_id=subnet.id,
        listeners=[
            {"name": "metrics", "protocol": "PROMETHEUS", "protocol_port": 8088},
            {
                "name": "http",
                "protocol": "HTTP",
                "protocol_port": 80,
                "timeout_member_connect": 1000,
                "timeout_member_data": 2000,
                "default_pool": {
                    "name": "pool",
                    "protocol": "HTTP",
                    "lb_algorithm": "ROUND_ROBIN",
                    "healthmonitor": {
                        "type": "HTTP",
                        "url_path": "/healthz",
                        "delay": 1,
                        "timeout": 1,
                        "max_retries": 2,
                        "max_retries_down": 2,
                    },
                    "members": [
                        {
                            "name": item.name,
                            "address": item.address,
                            "protocol_port": 80,
                        }
                        for item in stand_ins.values()
                    ],
                },
            },
        ],
    )
    found = settled(member, made.id)
    assert found.provisioning_status == "ACTIVE"
    listeners = member.load_balancer.listeners(load_balancer_id=made.id)
    listener = next(item for item in listeners if item.name == "http")
    members = member.load_balancer.members(listener.default_pool_id)
    result = Balancer(
        connection=member,
        identifier=made.id,
        vip=found.vip_address,
        listener=listener.id,
        pool=listener.default_pool_id,
        members={item.name: item.id for item in members},
    )
    yield result
    if settled(member, made.id):
        member.load_balancer.delete_load_balancer(made.id, cascade=True)
        assert settled(member, made.id) is None


@pytest.fixture(autouse=True)
def well(balancer, stand_ins, eventually):
    """
    Every test begins with two healthy members of weight 1.
    """
    for name, item in stand_ins.items():
        item.behave(healthz=200, code=200, delay=0)
        found = balancer.api.get_member(balancer.members[name], balancer.pool)
        if found.weight != 1:
            balancer.weigh(name, 1)
    assert eventually(
        lambda: set(balancer.statuses().values()) == {"ONLINE"}, SETTLE_SECONDS_MAX
    )
    assert eventually(lambda: set(balancer.answering(4)) == {"a", "b"}, 10)


def test_traffic(balancer, eventually):
    """
    The VIP spreads requests over the members, and everything is ONLINE.
    """
    assert balancer.answering(20) == {"a": 10, "b": 10}
    assert eventually(
        lambda: (
            balancer.api.get_load_balancer(balancer.identifier).operating_status
            == "ONLINE"
        ),
        SETTLE_SECONDS_MAX,
    )


def test_weight_zero_loses_nothing(balancer, eventually):
    """
    Draining a member and taking it back under load fails no request, nor do counters restart.
    """
    before = requests_total(balancer)
    load = subprocess.Popen(
        [sys.executable, str(HERE / "load.py"), f"http://{balancer.vip}/", "6"],
        stdout=subprocess.PIPE,
        text=True,
    )
    balancer.weigh("a", 0)
    assert set(balancer.answering()) == {"b"}
    assert eventually(lambda: balancer.statuses()["a"] == "DRAINING", 10)
    balancer.weigh("a", 1)
    report = json.loads(load.communicate()[0])

    assert report["failed"] == []
    assert report["done"] > 50
    assert requests_total(balancer) >= before + report["done"]


def requests_total(balancer):
    """
    The HTTP listener's requests so far.
    """
    pattern = (
        rf'octavia_listener_http_requests_total{{listener="{balancer.listener}"}} (\d+)'
    )
    found = re.search(pattern, balancer.metrics())
    return int(found[1])


def test_reload_loses_nothing(balancer):
    """
    A change that needs a reload refuses no connection.
    """
    load = subprocess.Popen(
        [sys.executable, str(HERE / "load.py"), f"http://{balancer.vip}/", "5"],
        stdout=subprocess.PIPE,
        text=True,
    )
    for algorithm in ("LEAST_CONNECTIONS", "ROUND_ROBIN"):
        balancer.api.update_pool(balancer.pool, lb_algorithm=algorithm)
        balancer.settle()
        time.sleep(0.5)
    report = json.loads(load.communicate()[0])

    assert report["failed"] == []
    assert report["done"] > 50


def test_sick_member_leaves_within_its_arithmetic(balancer, stand_ins, eventually):
    """
    Two failed checks a second apart take a member out, and Octavia says so; it comes back.
    """
    stand_ins["a"].behave(healthz=503, code=500)
    began = time.monotonic()
    assert eventually(lambda: set(balancer.answering(4)) == {"b"}, 15)
    taken = time.monotonic() - began
    assert eventually(lambda: balancer.statuses()["a"] == "ERROR", 10)
    pool = balancer.api.get_pool(balancer.pool)

    # delay x max_retries_down, one more delay to meet the first check, and a busy machine
    assert taken < 1 * 2 + 1 + 3
    assert pool.operating_status == "DEGRADED"

    stand_ins["a"].behave(healthz=200, code=200)
    assert eventually(lambda: set(balancer.answering(4)) == {"a", "b"}, 15)


def test_grey_member_is_not_the_load_balancers_business(balancer, stand_ins):
    """
    A member with a green check and failing requests stays, and its own 5xx are counted.
    """
    stand_ins["a"].behave(code=500)
    before = errors_of(balancer, "a")
    codes = Counter(balancer.ask().status_code for _ in range(20))

    assert codes == {200: 10, 500: 10}
    assert balancer.statuses()["a"] == "ONLINE"
    assert errors_of(balancer, "a") == before + 10


def errors_of(balancer, name):
    """
    A member's 5xx so far.
    """
    member, pool = balancer.members[name], f"{balancer.pool}:{balancer.listener}"
    labels = f'pool="{pool}",member="{member}",code="5xx"'
    found = re.search(
        rf"octavia_member_http_responses_total{{{labels}}} (\d+)", balancer.metrics()
    )
    return int(found[1])


def test_slow_member_is_cut_off(balancer, stand_ins):
    """
    A member that does not answer within timeout_member_data costs its client a 504.
    """
    stand_ins["a"].behave(delay=4)

    assert Counter(balancer.ask().status_code for _ in range(2)) == {200: 1, 504: 1}


def test_disabled_member(balancer, eventually):
    """
    A member that is switched off gets nothing and is OFFLINE.
    """
    member = balancer.members["a"]
    balancer.api.update_member(member, balancer.pool, admin_state_up=False)
    balancer.settle()
    try:
        assert set(balancer.answering()) == {"b"}
        assert eventually(lambda: balancer.statuses()["a"] == "OFFLINE", 10)
    finally:
        balancer.api.update_member(member, balancer.pool, admin_state_up=True)
        balancer.settle()


def test_backup_member(balancer, stand_ins, eventually):
    """
    A backup member answers only while no other can.
    """
    balancer.api.update_member(balancer.members["b"], balancer.pool, backup=True)
    balancer.settle()
    try:
        assert eventually(lambda: set(balancer.answering()) == {"a"}, 5)
        stand_ins["a"].behave(healthz=503)
        assert eventually(lambda: set(balancer.answering()) == {"b"}, 10)
    finally:
        balancer.api.update_member(balancer.members["b"], balancer.pool, backup=False)
        balancer.settle()


def test_session_persistence(balancer):
    """
    A client with the cookie stays with its member.
    """
    persistence = {"type": "HTTP_COOKIE"}
    balancer.api.update_pool(balancer.pool, session_persistence=persistence)
    balancer.settle()
    try:
        with httpx.Client(timeout=5) as client:
            url = f"http://{balancer.vip}/"
            names = {client.get(url).text for _ in range(6)}
        assert len(names) == 1
    finally:
        balancer.api.update_pool(balancer.pool, session_persistence=None)
        balancer.settle()


def test_allowed_cidrs(balancer):
    """
    Who is not allowed gets no answer at all.
    """
    balancer.api.update_listener(balancer.listener, allowed_cidrs=["192.0.2.0/24"])
    balancer.settle()
    try:
        with pytest.raises(httpx.ConnectTimeout):
            httpx.get(f"http://{balancer.vip}/", timeout=1)
    finally:
        balancer.api.update_listener(balancer.listener, allowed_cidrs=[])
        balancer.settle()
    assert balancer.ask().status_code == 200


def test_closed_port(balancer):
    """
    A port without a listener is silent, as behind an amphora's security group.
    """
    with pytest.raises(httpx.ConnectTimeout):
        httpx.get(f"http://{balancer.vip}:81/", timeout=1)


def test_layer_7(balancer):
    """
    A policy redirects what its rules match and nothing else.
    """
    policy = balancer.api.create_l7_policy(
        listener_id=balancer.listener,
        action="REDIRECT_TO_URL",
        redirect_url="http://example.org/",
    )
    balancer.settle()
    balancer.api.create_l7_rule(
        policy, type="PATH", compare_type="STARTS_WITH", value="/old"
    )
    balancer.settle()
    try:
        old = balancer.ask("/old/page")
        assert (old.status_code, old.headers["location"]) == (
            302,
            "http://example.org/",
        )
        assert balancer.ask("/new").status_code == 200
    finally:
        balancer.api.delete_l7_policy(policy)
        balancer.settle()


def test_tcp_listener(balancer, stand_ins):
    """
    A TCP listener passes bytes through.
    """
    listener = balancer.api.create_listener(
        load_balancer_id=balancer.identifier, protocol="TCP", protocol_port=9000
    )
    balancer.settle()
    pool = balancer.api.create_pool(
        listener_id=listener.id, protocol="TCP", lb_algorithm="LEAST_CONNECTIONS"
    )
    balancer.settle()
    address = stand_ins["a"].address
    balancer.api.create_member(pool, address=address, protocol_port=80)
    balancer.settle()
    try:
        assert httpx.get(f"http://{balancer.vip}:9000/", timeout=5).text == "a"
    finally:
        balancer.api.delete_pool(pool)
        balancer.settle()
        balancer.api.delete_listener(listener)
        balancer.settle()


def test_immutable_while_pending(balancer):
    """
    A second change right behind the first is refused with 409 or comes after it, never lost.
    """
    outcomes, last = Counter(), None
    for weight in (2, 3, 4, 5, 1):
        answer = balancer.api.put(
            f"/lbaas/pools/{balancer.pool}/members/{balancer.members['a']}",
            json={"member": {"weight": weight}},
        )
        outcomes[answer.status_code] += 1
        last = weight if answer.status_code == 200 else last
    balancer.settle()
    found = balancer.api.get_member(balancer.members["a"], balancer.pool)

    assert set(outcomes) <= {200, 409}
    assert found.weight == last


def test_what_is_not_served_is_refused(balancer):
    """
    What HAProxy cannot do here is refused in a sentence, and the load balancer stays usable.
    """
    with pytest.raises(HttpException, match=r"TERMINATED_HTTPS; use HTTP"):
        balancer.api.create_listener(
            load_balancer_id=balancer.identifier,
            protocol="TERMINATED_HTTPS",
            protocol_port=443,
            default_tls_container_ref="http://127.0.0.1/v1/containers/none",
        )
    with pytest.raises(HttpException, match=r"SOURCE_IP_PORT; use ROUND_ROBIN"):
        balancer.api.create_pool(
            loadbalancer_id=balancer.identifier,
            protocol="HTTP",
            lb_algorithm="SOURCE_IP_PORT",
        )
    assert balancer.settle().provisioning_status == "ACTIVE"


def test_killed_load_balancer_is_started_again(cloud, balancer, breaking, eventually):
    """
    An HAProxy that is killed serves again within seconds, by another process.
    """
    before = haproxy(cloud, balancer)
    breaking("lb", "balancing")

    assert eventually(lambda: serves(balancer), 15)
    assert haproxy(cloud, balancer) != before


def test_frozen_load_balancer(cloud, balancer, breaking):
    """
    A frozen HAProxy serves nobody until it is mended, then by the same process.
    """
    before = haproxy(cloud, balancer)
    breaking("lb", balancer.identifier, "--how", "frozen")
    breaking("lb", balancer.identifier, "--how", "frozen")
    assert not serves(balancer)

    cloud.run("mend", "balancing")

    assert serves(balancer)
    assert haproxy(cloud, balancer) == before


def test_failover_replaces_a_frozen_load_balancer(cloud, admin, balancer, breaking):
    """
    Octavia's own remedy helps: a failover ends a frozen HAProxy and starts another.
    """
    breaking("lb", "balancing", "--how", "frozen")
    admin.load_balancer.failover_load_balancer(balancer.identifier)

    assert balancer.settle().provisioning_status == "ACTIVE"
    assert serves(balancer)


def test_failover(cloud, admin, balancer):
    """
    A failover is a new HAProxy that serves the same.
    """
    before = haproxy(cloud, balancer)
    admin.load_balancer.failover_load_balancer(balancer.identifier)

    assert balancer.settle().provisioning_status == "ACTIVE"
    assert haproxy(cloud, balancer) != before
    assert serves(balancer)


def test_octavia_killed_in_the_middle_of_a_change(cloud, balancer, eventually):
    """
    Traffic flows on, and what was pending is finished after the restart.
    """
    (octavia,) = (
        item["pid"] for item in cloud.status()["services"] if item["name"] == "octavia"
    )
    before = haproxy(cloud, balancer)
    balancer.api.update_member(balancer.members["a"], balancer.pool, weight=7)
    os.kill(octavia, signal.SIGKILL)

    assert serves(balancer)
    assert haproxy(cloud, balancer) == before
    assert eventually(lambda: weight_of(balancer, "a") == 7, 120)
    assert balancer.settle().provisioning_status == "ACTIVE"
    metrics = balancer.metrics()
    assert re.search(rf'_weight{{.*{balancer.members["a"]}"}} 7', metrics)


def weight_of(balancer, name):
    """
    A member's weight, None while Octavia does not answer or is not at rest.
    """
    try:
        answer = balancer.api.get(
            f"/lbaas/pools/{balancer.pool}/members/{balancer.members[name]}",
            raise_exc=False,
        )
    except ConnectFailure:
        return None
    found = answer.json().get("member", {})
    at_rest = found.get("provisioning_status") == "ACTIVE"
    return found.get("weight") if at_rest else None


def serves(balancer):
    """
    Whether a request through the VIP succeeds.
    """
    try:
        return balancer.ask().status_code == 200
    except httpx.HTTPError:
        return False


def haproxy(cloud, balancer):
    """
    The process behind the VIP.
    """
    directory = cloud.home / "state" / "loadbalancers" / balancer.identifier
    return int((directory / "haproxy.pid").read_text().split()[-1])


def test_deleted_without_a_trace(cloud, member, balancer):
    """
    A cascading delete leaves no process, namespace, cgroup, directory or port.
    """
    pid = haproxy(cloud, balancer)
    member.load_balancer.delete_load_balancer(balancer.identifier, cascade=True)

    assert settled(member, balancer.identifier) is None
    netns = Path(f"/run/netns/{cloud.prefix}-lb-{balancer.identifier[:13]}")
    state = cloud.home / "state" / "loadbalancers" / balancer.identifier
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)  # it has ended; PID 1 buries it when it comes round
    assert not Path(f"/proc/{pid}").exists()
    assert not netns.exists()
    assert not state.exists()
    assert not list(
        Path("/sys/fs/cgroup").glob(f"*/{cloud.prefix}/lb-{balancer.identifier}")
    )
    ports = member.network.ports(device_id=f"lb-{balancer.identifier}")
    assert list(ports) == []
