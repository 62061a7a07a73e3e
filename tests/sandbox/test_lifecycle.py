"""
A second cloud on the same machine: started, killed in every way, stopped, without a trace and
without the first one noticing.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.sandbox

Eventually = Callable[[Callable[[], bool], float], bool]

RECOVERY_SECONDS_MAX = 300
"""Generous: what is tested is that it recovers; how fast is measured elsewhere."""


def _pids(sandbox: Any) -> dict[str, int]:
    return {item["name"]: item["pid"] for item in sandbox.status()["services"]}


def _traces(sandbox: Any) -> list[str]:
    """
    Everything on this machine that bears the cloud's name.
    """
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    links = _lines("ip", "-o", "link")
    slot = f"{sandbox.slot:02d}"
    found = [line for line in mounts if f" {sandbox.home}/" in line]
    found += [line for line in links if f" f9x{slot}" in line or f" f9t{slot}" in line]
    found += [
        name for name in _lines("ip", "netns") if name.startswith(f"{sandbox.prefix}-")
    ]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{sandbox.prefix}")]
    found += [line for line in _lines("ip", "route") if f" f9x{slot} " in line]
    pool = f"unreachable 10.{101 + 2 * sandbox.slot}.0.0/16"
    found += [line for line in _lines("ip", "route") if line.startswith(pool)]
    found += [
        line for line in _lines("nft", "list", "tables") if sandbox.prefix in line
    ]
    return found + _processes(sandbox)


def _processes(sandbox: Any) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        text = command.replace(b"\0", b" ").decode(errors="replace")
        if entry.name.isdigit() and f"{sandbox.home}/" in text:
            found.append(text)
    return found


def _lines(*argv: str) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def second(cloud: Any) -> Iterator[Any]:
    """
    Another cloud beside the first, in the last slot but one.

    Not in pytest's own temporary directory: a later pytest run clears that away, running cloud and all.
    """
    slot = 48 if cloud.slot != 48 else 47
    home = Path(tempfile.mkdtemp(prefix="fournines-second-"))
    sandbox = replace(cloud, home=home, slot=slot)
    try:
        sandbox.run("up")
        yield sandbox
    finally:
        sandbox.run("reset", check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def server(second: Any) -> Any:
    """
    A running instance of the second cloud.
    """
    member = second.connect("fournines")
    network = member.network.create_network(name="lifecycle")
    member.network.create_subnet(
        name="lifecycle",
        network_id=network.id,
        ip_version=4,
        use_default_subnet_pool=True,
    )
    created = member.compute.create_server(
        name="lifecycle",
        image_id=member.image.find_image("debian-12", ignore_missing=False).id,
        flavor_id=member.compute.find_flavor("m1.tiny", ignore_missing=False).id,
        networks=[{"uuid": network.id}],
    )
    return member.compute.wait_for_server(created, interval=0.5, wait=120)


def test_nothing_for_the_pool_leaves_by_the_default_gateway(second: Any) -> None:
    """
    An address of the routable pool without a subnet is unreachable, not sent to whoever is the machine's gateway.
    """
    asked = ["ip", "route", "get", f"10.{101 + 2 * second.slot}.255.1"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "unreachable" in done.stderr.lower() or "No route" in done.stderr


def test_two_clouds_side_by_side(cloud: Any, second: Any) -> None:
    """
    Two clouds run on one machine, each with its own catalogue.
    """
    first_status, second_status = cloud.status(), second.status()

    assert first_status["up"]
    assert second_status["up"]
    assert first_status["auth_url"] != second_status["auth_url"]
    servers = list(second.connect("fournines").compute.servers())
    assert [item for item in servers if item.name != "lifecycle"] == []


def test_up_again_changes_nothing(second: Any) -> None:
    """
    `up` of a running cloud leaves every process as it is.
    """
    before = _pids(second)

    second.run("up")

    assert before == _pids(second)


@pytest.mark.parametrize("name", ["mariadb", "keystone", "neutron", "nova", "keeper"])
def test_killed_process_comes_back(
    second: Any, server: Any, eventually: Eventually, name: str
) -> None:
    """
    A process that dies is started again, and instances do not notice.
    """
    before = _pids(second)[name]
    init = _container_init(server)

    os.kill(before, signal.SIGKILL)

    assert eventually(lambda: _pids(second).get(name) not in (before, 0), 30)
    assert eventually(lambda: second.status()["up"], RECOVERY_SECONDS_MAX)
    assert init == _container_init(server)


def test_killed_supervisor_comes_back(
    second: Any, server: Any, eventually: Eventually
) -> None:
    """
    When the supervisor dies its processes end and all of them are started anew, once.
    """
    init = _container_init(server)
    before = int((second.home / "run/supervisor.pid").read_text())

    os.kill(before, signal.SIGKILL)

    assert eventually(lambda: second.status()["up"], RECOVERY_SECONDS_MAX)
    running = [
        line for line in _processes(second) if f"--datadir={second.home}" in line
    ]
    assert len(running) == 1
    assert init == _container_init(server)
    found = second.connect("fournines").compute.get_server(server)
    assert found.status == "ACTIVE"


def test_unclean_death_is_recovered(
    second: Any, server: Any, eventually: Eventually
) -> None:
    """
    After the death of every process, with mounts, namespaces and cgroups left behind, `up`
    brings the cloud and its instance back, and the instance can be deleted.
    """
    for _ in range(3):
        _kill_everything(second)

    second.run("up")

    member = second.connect("fournines")
    assert eventually(
        lambda: member.compute.get_server(server).status in ("ACTIVE", "SHUTOFF"), 60
    )
    if member.compute.get_server(server).status == "SHUTOFF":
        member.compute.start_server(server)
    assert eventually(lambda: _container_init(server) > 0, 60)


def test_state_survives_down_and_up(second: Any, server: Any) -> None:
    """
    After `down` nothing of the cloud is on the machine; after `up` all it knew is there.
    """
    second.run("down")

    assert _traces(second) == []
    second.run("up")
    member = second.connect("fournines")
    assert server.id == member.compute.get_server(server).id
    assert member.network.find_network("lifecycle") is not None
    member.compute.delete_server(server)
    member.compute.wait_for_delete(server, interval=0.5)


def test_reset_forgets(second: Any) -> None:
    """
    `reset` leaves neither a trace on the machine nor a memory.
    """
    second.run("reset")

    assert _traces(second) == []
    assert not (second.home / "state").exists()
    assert not second.status()["up"]


def test_taken_port_is_named(cloud: Any, tmp_path: Path) -> None:
    """
    A port that somebody else listens on is said in one sentence, before anything starts.
    """
    third = replace(cloud, home=tmp_path, slot=46 if cloud.slot != 46 else 45)
    port = 20000 + 100 * third.slot
    with socket.create_server(("127.0.0.1", port)):
        done = third.run("up", check=False)

    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr
    assert _traces(third) == []


def test_first_cloud_did_not_notice(cloud: Any) -> None:
    """
    All that was done to the second cloud left the first one running.
    """
    assert cloud.status()["up"]


def _container_init(server: Any) -> int:
    """
    The pid of an instance's init as the host sees it; 0 when there is none.
    """
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            inside = (
                (entry / "status").read_text().partition("NSpid:")[2].split("\n")[0]
            )
            groups = (entry / "cgroup").read_text()
        except OSError:
            continue
        if (
            inside.split()[-1:] == ["1"]
            and len(inside.split()) > 1
            and server.id in groups
        ):
            return int(entry.name)
    return 0


def _kill_everything(sandbox: Any) -> None:
    """
    SIGKILL to every process of a cloud, as a power cut would do.
    """
    home = f"FOURNINES_SANDBOX_HOME={sandbox.home}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes()
            groups = (entry / "cgroup").read_text()
        except OSError:
            continue
        ours = home in environment or f"{sandbox.home}/".encode() in command
        if ours or f"{sandbox.prefix}/" in groups:
            try:
                os.kill(int(entry.name), signal.SIGKILL)
            except ProcessLookupError:
                continue
