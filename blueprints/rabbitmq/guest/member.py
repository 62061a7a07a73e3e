"""
What stands beside RabbitMQ in each instance of a message bus. Python's standard library alone.

    prepare           before RabbitMQ starts: found a cluster, join one, or come back as the member it was
    serve PORT PORT   health and metrics over HTTP on the first port, orders over HTTPS on the second

/health    200 when RabbitMQ takes clients: it is asked for AMQP's first frame
/state     whether this member has data, for members that find none of their own
/metrics   RabbitMQ's own, for Prometheus

A node that was frozen or cut off and comes back may find that the others went on without it, and RabbitMQ leaves the two worlds side by side
("running partitioned network"; pausing the minority does not see a freeze). It is restarted then, so that it takes theirs.

Orders are what the management API has no word for; each is one call of RabbitMQ's command line:
POST /drain, /revive, /grow, /forget/ADDRESS
"""

# ruff: noqa: INP001, T201  an instance runs this file by itself, and what it prints is its log

from __future__ import annotations

import base64
import hmac
import http.client
import http.server
import os
import pwd
import re
import shutil
import socket
import ssl
import sys
import threading
import time
from typing import Any

from .place import ASK_SECONDS, CONFIG, USER, Member, node

AMQP_PORT, METRICS_PORT = 5672, 15692
KNOWN_SECONDS = 15.0
"""So long a member with data asks whether the others still count it; if nobody answers, it trusts its data."""

TEND_SECONDS = 5.0
REPLICAS_WANTED = 3
"""A quorum queue with fewer is lost with one node, or stands still without it."""

METRICS_SECONDS = 4.5
JOIN_ATTEMPTS = 1_000_000


# -- before RabbitMQ starts


def prepare(member: Member) -> None:
    """
    Decide how to start, and write RabbitMQ's configuration accordingly.
    """
    if member.has_data and _forgotten(member):
        print(
            "the others do not count this member any more: it begins anew", flush=True
        )
        shutil.rmtree(member.data)
    join = None if member.has_data else _cluster(member)
    text = CONFIG.with_name("rabbitmq.conf").read_text()
    if join:
        text += "cluster_formation.peer_discovery_backend = classic_config\n"
        text += f"cluster_formation.classic_config.nodes.1 = {member.node}\n"
        text += f"cluster_formation.classic_config.nodes.2 = {node(join)}\n"
        # RabbitMQ would give up after ten attempts and found a cluster of its own.
        text += f"cluster_formation.discovery_retry_limit = {JOIN_ATTEMPTS}\n"
    owner = pwd.getpwnam("rabbitmq")
    for path in (member.home, member.data):
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, owner.pw_uid, owner.pw_gid)
    final = member.home / "rabbitmq.conf"
    final.touch(mode=0o600)
    final.write_text(text)
    os.chown(final, owner.pw_uid, owner.pw_gid)


def _forgotten(member: Member) -> bool:
    """
    Whether a living cluster says that this member is none of it.
    """
    deadline = time.monotonic() + KNOWN_SECONDS
    while time.monotonic() < deadline:
        for peer in member.peers:
            nodes = member.nodes(peer)
            if nodes is not None:
                return member.node not in nodes
        time.sleep(1)
    return False


def _cluster(member: Member) -> str | None:
    """
    A member to join; None to found the cluster, which only the first may, and only when most others have nothing either.
    """
    while True:
        for peer in member.peers:
            nodes = member.nodes(peer)
            if nodes is None:
                continue
            if member.node not in nodes:
                return peer
            if (
                not nodes[member.node]
                and member.command(
                    "rabbitmqctl", "-n", node(peer), "forget_cluster_node", member.node
                )[0]
            ):
                return peer
        states = [_state(member, peer) for peer in member.peers]
        empty = 1 + states.count("empty")
        first = member.address == member.seeds[0]
        if first and "data" not in states and empty * 2 > len(member.seeds):
            return None
        time.sleep(0.5)


def _state(member: Member, peer: str) -> str | None:
    line = http.client.HTTPConnection(peer, member.health_port, timeout=ASK_SECONDS)
    try:
        line.request("GET", "/state")
        return line.getresponse().read().decode().strip()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        line.close()


# -- while RabbitMQ runs


def takes_clients() -> bool:
    """
    Whether RabbitMQ answers AMQP's greeting with its first frame: a method (1) of channel 0.
    """
    try:
        with socket.create_connection(("127.0.0.1", AMQP_PORT), timeout=0.8) as line:
            line.settimeout(0.8)
            line.sendall(b"AMQP\x00\x00\x09\x01")
            return line.recv(3) == b"\x01\x00\x00"
    except OSError:
        return False


class Care:
    """
    Looks after the node beside it.

    Attributes:
        apart: The others went on without this node.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.apart = False

    def run(self) -> None:
        """
        For ever.
        """
        while True:
            time.sleep(TEND_SECONDS)
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  whatever it is: the next look may succeed
                print(f"looking: {error!r}", flush=True)

    def _look(self) -> None:
        if not takes_clients():
            return
        own = self.member.nodes("127.0.0.1")
        if own is None:
            return
        self.apart = self._is_apart(own)
        if self.apart:
            print("the others went on without this node: it starts anew", flush=True)
            self.member.command("systemctl", "restart", "bus.service")
            self.apart = False
            return
        running = {name for name, runs in own.items() if runs}
        if self._lacks_here(running):
            grow(self.member)

    def _is_apart(self, own: dict[str, bool]) -> bool:
        """
        Whether this node sees no majority, and another sees one without it. Two looks would differ if it were only on its way.
        """
        me = self.member.node
        if sum(own.values()) * 2 > len(own):
            return False
        for peer in (name for name in own if name != me):
            theirs = self.member.nodes(peer.partition("@")[2])
            if theirs and not theirs.get(me) and sum(theirs.values()) * 2 > len(theirs):
                return True
        return False

    def _lacks_here(self, running: set[str]) -> bool:
        """
        Whether some queue lost a replica and this is the node to take it: a new member has none, and RabbitMQ 3.10 gives it none by itself.
        """
        path = "/api/queues?columns=name,type,members"
        queues = self.member.ask("127.0.0.1", path)
        return isinstance(queues, list) and any(
            wants_replica(queue, self.member.node, running) for queue in queues
        )


def wants_replica(queue: dict[str, Any], me: str, running: set[str]) -> bool:
    """
    Whether a queue has an even number of replicas, or fewer than it could have, and this is the first running node that has none.
    """
    members = set(queue.get("members") or [])
    free = running - members
    wanted = min(REPLICAS_WANTED, len(running))
    short = len(members) % 2 == 0 or len(members) < wanted
    return queue.get("type") == "quorum" and short and bool(free) and min(free) == me


def grow(member: Member) -> tuple[bool, str]:
    """
    Take the replicas that queues want here. One that was declared while a single node ran has one replica, which RabbitMQ's `even` passes over.
    """
    done = member.command("rabbitmq-queues", "grow", member.node, "even")
    queues = member.ask("127.0.0.1", "/api/queues?columns=name,vhost,type,members")
    for queue in queues if isinstance(queues, list) else ():
        held = queue.get("members") or []
        if queue.get("type") != "quorum" or len(held) != 1 or member.node in held:
            continue
        vhost, name = (f"^{re.escape(queue[key])}$" for key in ("vhost", "name"))
        only = ("--vhost-pattern", vhost, "--queue-pattern", name)
        done = member.command("rabbitmq-queues", "grow", member.node, "all", *only)
    return done


def order(member: Member, path: str) -> tuple[bool, str]:
    """
    Carry out one order.
    """
    verb, _, argument = path.strip("/").partition("/")
    if verb == "grow" and not argument:
        return grow(member)
    words = {
        "drain": ("rabbitmq-upgrade", "drain"),
        "revive": ("rabbitmq-upgrade", "revive"),
        "forget": ("rabbitmqctl", "forget_cluster_node", node(argument)),
    }.get(verb)
    if words is None or (verb == "forget") != bool(argument):
        return False, f"there is no order {path}"
    return member.command(*words)


class Answering(http.server.BaseHTTPRequestHandler):
    """
    What both servers share.
    """

    protocol_version = "HTTP/1.1"
    member: Member
    care: Care

    def answer(self, code: int, body: bytes) -> None:
        """Say it."""
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Health checks come every second: nothing is logged."""


class Health(Answering):
    """
    Health and metrics, for everybody.
    """

    gathered = b""
    gathered_at = float("-inf")

    def do_GET(self) -> None:
        if self.path == "/health":
            good = takes_clients() and not self.care.apart
            self.answer(200 if good else 503, b"serves\n" if good else b"does not\n")
        elif self.path == "/state":
            self.answer(200, b"data" if self.member.has_data else b"empty")
        elif self.path == "/metrics":
            self._metrics()
        else:
            self.answer(404, b"no such page\n")

    def _metrics(self) -> None:
        """
        Prometheus asks every second, and RabbitMQ gathers its figures every five.
        """
        now = time.monotonic()
        if now - Health.gathered_at < METRICS_SECONDS:
            self.answer(200, Health.gathered)
            return
        line = http.client.HTTPConnection(
            "127.0.0.1", METRICS_PORT, timeout=ASK_SECONDS
        )
        try:
            line.request("GET", "/metrics")
            answer = line.getresponse()
            body = answer.read()
            if answer.status == 200:
                Health.gathered, Health.gathered_at = body, now
            self.answer(answer.status, body)
        except (OSError, http.client.HTTPException):
            self.answer(503, b"RabbitMQ does not answer\n")
        finally:
            line.close()


class Orders(Answering):
    """
    Orders, for the platform alone.
    """

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        login = base64.b64encode(f"{USER}:{self.member.password}".encode()).decode()
        given = self.headers.get("Authorization") or ""
        if not hmac.compare_digest(given.encode(), f"Basic {login}".encode()):
            self.answer(401, b"who are you?\n")
            return
        good, said = order(self.member, self.path)
        self.answer(200 if good else 409, said.encode() + b"\n")


def serve(member: Member, health_port: int, orders_port: int) -> None:
    """
    Answer for ever.
    """
    Answering.member = member
    Answering.care = Care(member)
    threading.Thread(target=Answering.care.run, daemon=True).start()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(member.tls["certificate_file"], member.tls["key_file"])
    orders = http.server.ThreadingHTTPServer(("", orders_port), Orders)
    # The handshake is the connection's own thread's, so that a client that says nothing holds up nobody.
    orders.socket = context.wrap_socket(
        orders.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=orders.serve_forever, daemon=True).start()
    health = http.server.ThreadingHTTPServer(("", health_port), Health)
    health.daemon_threads = orders.daemon_threads = True
    health.serve_forever()


def main() -> None:
    """
    What the command line asks for.
    """
    match sys.argv[1:]:
        case ["prepare"]:
            prepare(Member())
        case ["serve", health_port, orders_port]:
            serve(Member(), int(health_port), int(orders_port))
        case words:
            sys.exit(f"there is no {words}")
