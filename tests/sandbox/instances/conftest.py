"""
A network to boot servers on, and servers that clean up after themselves.
"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openstack.exceptions import NotFoundException

APPLICATION_PORT = 8080
SECONDS_MAX = 120
"""A server needs 4 s from create to its first answer; the machine may be busy."""

_APPLICATION = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = open("/etc/hostname").read().strip().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""

_UNIT = """[Service]
ExecStart=/usr/bin/python3 /opt/application.py
Restart=always
[Install]
WantedBy=multi-user.target
"""

_USER_DATA = "#cloud-config\n" + json.dumps(
    {
        "write_files": [
            {"path": "/opt/application.py", "content": _APPLICATION},
            {"path": "/etc/systemd/system/application.service", "content": _UNIT},
        ],
        "runcmd": ["systemctl enable --now --no-block application.service"],
    }
)


@dataclass(frozen=True, slots=True)
class Guest:
    """
    One server, and what the machine below knows of it.
    """

    id: str
    name: str
    member: Any
    home: Path

    @property
    def serves(self) -> bool:
        """Whether it is there and serves."""
        try:
            return self.now.status == "ACTIVE" and self.get() == 200
        except NotFoundException:
            return False

    @property
    def now(self) -> Any:
        """What the API says at present."""
        return self.member.compute.get_server(self.id)

    @property
    def address(self) -> str:
        """Its first fixed address."""
        found = [item for items in self.now.addresses.values() for item in items]
        return str(found[0]["addr"])

    @property
    def init(self) -> int:
        """Its init's pid on this machine."""
        record = self.home / "state/instances" / self.id / "record.json"
        supervisor = json.loads(record.read_text())["supervisor"]["pid"]
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
        return int(children.read_text().split()[0])

    def shell(self, script: str) -> str:
        """What a script run inside prints."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.init), "--all", "sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str = "/", seconds: float = 3, address: str = "") -> int:
        """The status of an HTTP answer; 0 if there is none. Nova is asked for the address."""
        connection = http.client.HTTPConnection(
            address or self.address, APPLICATION_PORT, timeout=seconds
        )
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        return response.status

    def until(self, status: str, *, serving: bool = False) -> Guest:
        """Wait until the API shows a status and no task; then until it serves."""
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            seen = self.now
            if seen.status == status and not seen.task_state:
                break
            assert status == "ERROR" or seen.status != "ERROR", seen.fault
            assert time.monotonic() < deadline, f"{seen.status}, not {status}"
            time.sleep(0.3)
        while serving and self.get() != 200:
            assert time.monotonic() < deadline, "it does not serve"
            time.sleep(0.2)
        return self

    def delete(self) -> None:
        """Delete it and wait until it is gone."""
        deadline = time.monotonic() + SECONDS_MAX
        try:
            self.member.compute.delete_server(self.id, ignore_missing=True)
            while self.now:
                assert time.monotonic() < deadline, "it is not deleted"
                time.sleep(0.3)
        except NotFoundException:
            pass


@dataclass
class Place:
    """
    A routed network with a security group that admits the application's port.
    """

    member: Any
    home: Path
    network_id: str
    group: str
    guests: list[Guest] = field(default_factory=list)

    def boot(
        self, name: str = "guest", *, flavor: str = "m1.tiny", **more: Any
    ) -> Guest:
        """Create a server that serves its host name; not waited for."""
        image = self.member.image.find_image("debian-12", ignore_missing=False)
        chosen = self.member.compute.find_flavor(flavor, ignore_missing=False)
        wanted: dict[str, Any] = {
            "image_id": image.id,
            "flavor_id": chosen.id,
            "networks": [{"uuid": self.network_id}],
            "security_groups": [{"name": self.group}],
            "user_data": base64.b64encode(_USER_DATA.encode()).decode(),
            **more,
        }
        created = self.member.compute.create_server(name=name, **wanted)
        guest = Guest(created.id, name, self.member, self.home)
        self.guests.append(guest)
        return guest


@pytest.fixture(scope="session")
def ground(cloud: Any, member: Any) -> Iterator[tuple[str, str]]:
    """
    The network and the security group that all these tests share.
    """
    name = f"instances-{uuid.uuid4().hex[:6]}"
    external = member.network.find_network("public", ignore_missing=False)
    group = member.network.create_security_group(name=name)
    member.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        protocol="tcp",
        port_range_min=APPLICATION_PORT,
        port_range_max=APPLICATION_PORT,
    )
    network = member.network.create_network(name=name)
    subnet = member.network.create_subnet(
        name=name, network_id=network.id, ip_version=4, use_default_subnet_pool=True
    )
    router = member.network.create_router(
        name=name, external_gateway_info={"network_id": external.id}
    )
    member.network.add_interface_to_router(router, subnet=subnet.id)
    yield network.id, name
    member.network.remove_interface_from_router(router, subnet=subnet.id)
    member.network.delete_router(router)
    member.network.delete_network(network)
    member.network.delete_security_group(group)


@pytest.fixture(scope="module")
def place(cloud: Any, member: Any, ground: tuple[str, str]) -> Iterator[Place]:
    """
    Where to boot servers; they are deleted when the module's tests are done.
    """
    network_id, group = ground
    here = Place(member, cloud.home, network_id, group)
    yield here
    for guest in here.guests:
        guest.delete()


@pytest.fixture
def guest(place: Place) -> Guest:
    """
    A server that serves: the one that earlier tests left well, or a new one.
    """
    for earlier in place.guests:
        if earlier.name == "guest" and earlier.serves:
            return earlier
    return place.boot().until("ACTIVE", serving=True)


@pytest.fixture
def settled() -> Callable[[Callable[[], Any], Any], None]:
    """
    Wait until a question has an answer.
    """

    def wait(question: Callable[[], Any], answer: Any) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while (given := question()) != answer:
            assert time.monotonic() < deadline, f"{given!r}, not {answer!r}"
            time.sleep(0.3)

    return wait
