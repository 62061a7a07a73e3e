"""
RabbitMQ's operator over the management API and the orders of the program beside each node, both told by respx.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from urllib.parse import unquote

import httpx
import pytest
import respx

from blueprints.rabbitmq.lifecycle import BusRules
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model import logins
from fournines.model.cluster import Role, Standing
from tasks.operators import ClusterRefused, ClusterSilent
from tasks.operators.rabbitmq import RabbitOperator
from tests.contract.members import ADDRESSES, access, cluster, slot

RULES = BusRules()
A, B, C = ADDRESSES


class Bus:
    """
    Three nodes as their APIs tell of them.
    """

    def __init__(self, router: respx.MockRouter) -> None:
        self.nodes = {a: {"name": f"rabbit@{a}", "running": True} for a in ADDRESSES}
        self.silent: set[str] = set()
        self.queues = [queue("paid", leader=A), queue("sent", leader=A)]
        self.orders: list[tuple[str, str]] = []
        self.held: list[tuple[str, str, dict]] = []
        self.tells_of_queues = True
        self.users: list[dict] = []
        self.permissions: list[dict] = []
        for address in ADDRESSES:
            router.route(host=address).mock(side_effect=self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the member at the request's address says."""
        host, path = request.url.host, request.url.raw_path.decode()
        if host in self.silent:
            raise httpx.ConnectTimeout("no answer")
        if (
            request.headers["authorization"]
            != httpx.BasicAuth("fournines", "operator-secret")._auth_header
        ):
            return httpx.Response(401)
        if request.url.port == 15670:
            return self.order(host, path)
        if request.method != "GET":
            body = json.loads(request.content) if request.content else {}
            self.held.append((request.method, unquote(path), body))
            return httpx.Response(201)
        return self.listing(host, request.url.path)

    def listing(self, host: str, path: str) -> httpx.Response:
        """A list of the management API."""
        lists = {
            "/api/nodes": list(self.nodes.values()),
            "/api/queues": self.queues,
            "/api/vhosts": [{"name": "main"}],
            "/api/users": [
                {"name": "fournines", "tags": ["administrator"]},
                *self.users,
            ],
            "/api/permissions": self.permissions,
            "/api/whoami": {"name": "fournines"},
        }
        if path == "/api/queues" and not self.tells_of_queues:
            return httpx.Response(500)
        return httpx.Response(200, json=lists.get(path, []))

    def order(self, host: str, path: str) -> httpx.Response:
        """One call of the command line at a node."""
        self.orders.append((host, path))
        others = [a for a in ADDRESSES if a != host and self.nodes[a]["running"]]
        if path == "/drain":
            for one in self.queues:
                if one["leader"] == f"rabbit@{host}":
                    one["leader"] = f"rabbit@{others[0]}"
        elif path == "/grow":
            for one in self.queues:
                one["members"].append(f"rabbit@{host}")
                one["online"].append(f"rabbit@{host}")
        elif path.startswith("/forget/"):
            del self.nodes[path.removeprefix("/forget/")]
        return httpx.Response(200, text="done")

    def stop(self, address: str) -> None:
        """A node does not run any more."""
        self.nodes[address]["running"] = False
        self.silent.add(address)
        for one in self.queues:
            one["online"] = [n for n in one["online"] if n != f"rabbit@{address}"]


def queue(name: str, *, leader: str) -> dict:
    """A quorum queue with a replica on every node."""
    nodes = [f"rabbit@{a}" for a in ADDRESSES]
    return {
        "name": name,
        "vhost": "main",
        "type": "quorum",
        "members": list(nodes),
        "online": list(nodes),
        "leader": f"rabbit@{leader}",
    }


@pytest.fixture
def bus():
    """Three nodes that are well."""
    with respx.mock(assert_all_called=False) as router:
        yield Bus(router)


@pytest.fixture
def operator() -> RabbitOperator:
    """The operator, with time of its own."""
    return RabbitOperator(lambda _: access(), VirtualClock())


def settled(operator, here) -> list[str]:
    """What each slot lacks."""
    view = operator.view(here)
    return [RULES.is_settled(view, name) for name in here.slot_names]


def test_a_frozen_node_has_nothing_to_hand_over(bus, operator):
    """
    It answers no order, and the others do without it: that is what leaving is for. One that answers nobody and runs for the others may not go.
    """
    bus.silent.add(A)
    with pytest.raises(ClusterSilent, match="draining"):
        operator.leave(cluster("rabbitmq"), slot(0), deadline_seconds=10)

    bus.stop(A)
    operator.leave(cluster("rabbitmq"), slot(0), deadline_seconds=10)
    assert bus.orders == []


def test_a_bus_that_is_well(bus, operator):
    """
    Every slot is a peer that votes and has all its replicas; who leads most queues is named.
    """
    view = operator.view(cluster("rabbitmq"))

    assert [m.slot_name for m in view.members] == [slot(0), slot(1), slot(2)]
    assert {m.role for m in view.members} == {Role.PEER}
    assert (view.voters, view.quorum, view.votes) == (3, 2, 3)
    assert view.leader == slot(0)
    assert settled(operator, cluster("rabbitmq")) == ["", "", ""]
    assert view.problems == ()


def test_a_node_that_died_is_in_the_view(bus, operator):
    """
    A node that does not run is counted, does not vote, and keeps its slot while the slot has no instance.
    """
    bus.stop(A)
    view = operator.view(cluster("rabbitmq", gone=(0,)))

    member = view.member(slot(0))
    assert (member.state, member.votes, member.in_sync) == (
        Standing.STOPPED,
        False,
        False,
    )
    assert (view.voters, view.votes) == (3, 2)
    assert len(view.members) == 3


def test_a_node_that_sees_no_majority_is_not_believed(bus, operator):
    """
    A node that was cut off sees itself alone: nobody takes its word.
    """
    for address in (B, C):
        bus.nodes[address]["running"] = False

    with pytest.raises(ClusterSilent, match=r"sees 1 of 3 nodes running"):
        operator.view(cluster("rabbitmq"))


def test_replicas_that_are_missing_keep_others_here(bus, operator):
    """
    Queues that lost a replica want one on the first node that has none; until then that node is not settled and no other may leave.
    """
    for one in bus.queues:
        one["members"] = [f"rabbit@{a}" for a in (A, C)]
        one["online"] = list(one["members"])

    here = cluster("rabbitmq")
    assert settled(operator, here)[1] == (
        f"{slot(1)} has not caught up (2 queues want a replica here, paid first)"
    )
    refusal = RULES.may_leave(operator.view(here), slot(2), operator.view(here).at)
    assert refusal is not None
    assert refusal.detail.startswith("one at a time")


def test_a_replica_that_lags_keeps_others_here(bus, operator):
    """
    A member of a queue that is not online there has not caught up.
    """
    bus.queues[0]["online"].remove(f"rabbit@{C}")

    assert settled(operator, cluster("rabbitmq"))[2] == (
        f"{slot(2)} has not caught up (1 queues wait for it, paid first)"
    )


def test_silence_about_queues_is_no_good_news(bus, operator):
    """
    While RabbitMQ does not tell of its queues nobody is in sync.
    """
    bus.tells_of_queues = False

    assert settled(operator, cluster("rabbitmq"))[0].endswith(
        "(RabbitMQ does not tell of its queues)"
    )


def test_what_it_complains_of(bus, operator):
    """
    Alarms, partitions and queues without a majority are its problems, one sentence each.
    """
    bus.nodes[A]["mem_alarm"] = bus.nodes[B]["disk_free_alarm"] = True
    bus.nodes[C]["partitions"] = [f"rabbit@{A}"]
    bus.queues[0]["online"] = [f"rabbit@{A}"]

    assert operator.view(cluster("rabbitmq")).problems == (
        f"{slot(0)} is out of memory: publishers are blocked",
        f"{slot(1)} is out of disk: publishers are blocked",
        f"{slot(2)} was cut off from others",
        "queue paid of vhost main has 1 of 3 replicas: it takes nothing",
    )


def test_leaving_drains_the_node(bus, operator):
    """
    After `leave` the node leads nothing; `stay` takes it back; both may be said twice.
    """
    here = cluster("rabbitmq")
    for _ in range(2):
        operator.leave(here, slot(0), deadline_seconds=30)

    assert operator.view(here).leader != slot(0)
    operator.stay(here, slot(0))
    assert bus.orders == [(A, "/drain"), (A, "/drain"), (A, "/revive")]


def test_a_successor_gets_its_replicas(bus, operator):
    """
    A new node is taken in once the queues have grown onto it.
    """
    for one in bus.queues:
        one["members"] = [f"rabbit@{a}" for a in (A, B)]
        one["online"] = list(one["members"])
    here = cluster("rabbitmq")

    assert not operator.admitted(here, slot(2))
    assert bus.orders == [(C, "/grow")]
    assert operator.admitted(here, slot(2))
    assert settled(operator, here) == ["", "", ""]


def test_who_is_gone_for_ever_is_forgotten(bus, operator):
    """
    A node of no slot is forgotten by one that runs; one that has only lost its instance, or runs, never is; twice is nothing.
    """
    bus.stop(C)
    bus.stop(B)
    bus.nodes[B]["running"] = True
    here = cluster("rabbitmq", count=2, gone=(1,))
    operator.remove(here, slot(2))
    operator.remove(here, slot(2))

    assert bus.orders == [(A, f"/forget/{C}")]


def test_nobody_answers(bus, operator):
    """
    With nobody to ask there is an error that says what each did.
    """
    bus.silent.update(ADDRESSES)

    with pytest.raises(ClusterSilent, match=r"svc-nodes-0: no answer; .*svc-nodes-2"):
        operator.view(cluster("rabbitmq"))


def test_what_it_holds_is_declared(bus, operator):
    """
    Each declared thing is asked for, a user's password comes from the store of secrets, and the clauses say what was changed.
    """
    here = cluster(
        "rabbitmq",
        vhosts=["main"],
        users=[{"name": "app"}],
        queues=[{"name": "new"}],
        limits={},
    )
    done = operator.apply(here)

    assert done == (
        "permissions of fournines in main",
        "user app.a",
        "permissions of app.a in main",
        "queue new",
        "policy fournines-limits of main",
    )
    bodies = {path: body for _, path, body in bus.held}
    assert bodies["/api/users/app.a"] == {"tags": "", "password": "app.a-secret"}


@pytest.mark.parametrize(
    ("kept", "alone", "done"),
    [
        pytest.param(
            [(1, "one")],
            "of-before",
            ("user app.a", "permissions of app.a in main"),
            id="deployed-before-there-were-logins",
        ),
        pytest.param([(1, "one")], None, ("no user app any more", ""), id="retired"),
        pytest.param(
            [(2, "two"), (1, "one")],
            None,
            ("user app.b", "permissions of app.b in main"),
            id="rotating",
        ),
    ],
)
def test_who_is_let_in_follows_the_versions_that_are_kept(bus, kept, alone, done):
    """
    A new version's user stands beside the former one, with the same permissions; who is kept no more is taken away, and nobody else is touched.
    """
    let_in = logins.let_in("app", kept, alone)
    operator = RabbitOperator(
        lambda _: replace(access(), logins=lambda _: let_in), VirtualClock()
    )
    here = cluster("rabbitmq", vhosts=["main"], users=[{"name": "app"}], limits={})
    there = {"app"} if alone else {"app.a"} if len(kept) > 1 else {"app", "app.a"}
    bus.users = [
        {"name": name, "tags": [], **hashed(f"{name}:now", let_in.get(name, "former"))}
        for name in sorted(there)
    ]
    every = {"vhost": "main", "configure": ".*", "write": ".*", "read": ".*"}
    bus.permissions = [
        {"user": name, **every} for name in (*sorted(there), "fournines")
    ]

    said = operator.apply(here)

    policy = "policy fournines-limits of main"
    assert said == tuple(clause for clause in (*done, policy) if clause)
    drift = operator.drift(here)
    assert [clause.said for clause in drift] == list(said)
    newcomers = {clause.login for clause in drift if clause.login}
    assert newcomers == ({next(iter(let_in))} if done[1] else set())
    made = [
        (method, body.get("password"))
        for method, path, body in bus.held
        if "/users/" in path
    ]
    taken_away = done[0].startswith("no user")
    assert made == [("DELETE", None) if taken_away else ("PUT", kept[0][1])]


def hashed(salt: str, password: str) -> dict[str, str]:
    """As the management API tells of a user's password."""
    four = hashlib.sha256(salt.encode()).digest()[:4]
    digest = hashlib.sha256(four + password.encode()).digest()
    return {
        "password_hash": base64.b64encode(four + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
    }


def test_a_queue_that_is_another_is_refused(bus, operator):
    """
    Nothing at all is changed while a declared queue is there as something else.
    """
    here = cluster(
        "rabbitmq",
        vhosts=["main"],
        users=[],
        queues=[{"name": "paid", "type": "stream"}],
    )

    with pytest.raises(ClusterRefused, match="is a quorum queue, not a stream one"):
        operator.apply(here)
    assert bus.held == []
