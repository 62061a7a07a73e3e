"""
Faults injected below OpenStack: what each looks like from outside, and that it can be undone.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.sandbox

Strike = Callable[..., dict[str, str]]

DELAY_SECONDS = 1.5


@pytest.fixture
def strike(cloud: Any) -> Iterator[Strike]:
    """
    Break a server; it is mended afterwards.
    """
    struck: list[Any] = []

    def now(kind: str, guest: Any, *more: str) -> dict[str, str]:
        struck.append(guest)
        done = cloud.run("break", kind, guest.id, "--json", *more)
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    yield now
    for guest in struck:
        cloud.run("mend", guest.id, check=False)


def test_killed_guest_is_dead_and_mended_boots_again(
    cloud: Any, strike: Strike, guest: Any
) -> None:
    """
    A killed guest answers nothing at once; mending it starts it again with its disk.
    """
    guest.shell("echo kept > /root/note; sync")
    told = strike("kill", guest)
    assert told["instance"] == guest.id
    assert guest.get(seconds=1) == 0

    if cloud.run("mend", guest.id, check=False).returncode:
        # Nova looked in between and switched it off: then only Nova starts it.
        guest.until("SHUTOFF")
        guest.member.compute.start_server(guest.id)

    guest.until("ACTIVE", serving=True)
    assert guest.shell("cat /root/note") == "kept\n"


def test_nova_notices_a_killed_guest_late(
    cloud: Any, strike: Strike, guest: Any
) -> None:
    """
    Nova is not told of a death: it says ACTIVE until it looks, then SHUTOFF, and starts it.
    """
    strike("kill", guest)
    assert guest.now.status == "ACTIVE"

    guest.until("SHUTOFF")
    refused = cloud.run("mend", guest.id, check=False)
    assert refused.returncode == 1
    assert "openstack server start" in refused.stderr

    guest.member.compute.start_server(guest.id)
    guest.until("ACTIVE", serving=True)


def test_hung_guest_accepts_and_says_nothing(
    cloud: Any, strike: Strike, guest: Any
) -> None:
    """
    A hung guest's kernel still accepts, nothing answers, and Nova sees nothing wrong.
    """
    before = guest.init
    strike("hang", guest)
    assert guest.get(seconds=1) == 0
    assert guest.now.status == "ACTIVE"

    cloud.run("mend", guest.id)

    assert guest.get() == 200
    assert guest.init == before


def test_hard_reboot_ends_a_hang(cloud: Any, strike: Strike, guest: Any) -> None:
    """
    What the API can do about a hung guest works: a hard reboot.
    """
    strike("hang", guest)

    guest.member.compute.reboot_server(guest.id, "HARD")
    time.sleep(0.5)
    guest.until("ACTIVE", serving=True)


@pytest.mark.parametrize(("kind", "health"), [("errors", 500), ("grey-errors", 200)])
def test_failing_service(
    cloud: Any, strike: Strike, guest: Any, kind: str, health: int
) -> None:
    """
    A service that fails fails for everyone, its health check only if the fault is not grey.
    """
    strike(kind, guest)
    assert guest.get("/") == 500
    assert guest.get("/healthz") == health
    assert guest.get("/metrics?x=1") == health

    cloud.run("mend", guest.id)

    assert guest.get("/") == 200


def test_slow_service_answers_late_but_right(
    cloud: Any, strike: Strike, guest: Any
) -> None:
    """
    A grey slow service answers what it should, late; its health check is quick.
    """
    strike("grey-slow", guest, "--seconds", str(DELAY_SECONDS))

    page, page_seconds = _timed(guest, "/")
    health, health_seconds = _timed(guest, "/healthz")

    assert (page, health) == (200, 200)
    assert page_seconds >= DELAY_SECONDS > health_seconds


def test_fault_takes_connections_that_were_open_before(
    cloud: Any, strike: Strike, guest: Any
) -> None:
    """
    A kept-alive connection does not slip past a fault: it is reset.
    """
    connection = http.client.HTTPConnection(guest.address, 8080, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"guest"

        strike("errors", guest)

        connection.sock.settimeout(5)
        connection.sock.sendall(b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n")
        with pytest.raises(ConnectionError):
            connection.sock.recv(1)


@pytest.mark.parametrize("how", ["reboot", "delete"])
def test_fault_ends_with_its_instance(
    cloud: Any,
    strike: Strike,
    guest: Any,
    how: str,
    settled: Callable[[Callable[[], Any], Any], None],
) -> None:
    """
    A reboot or a delete through the API ends a software fault and its proxy.
    """
    strike("grey-errors", guest)
    companion = cloud.home / "state/instances" / guest.id / "companions"
    pid = json.loads(next(companion.iterdir()).read_text())["process"]["pid"]

    if how == "reboot":
        guest.member.compute.reboot_server(guest.id, "HARD")
        settled(lambda: guest.get("/"), 200)
    else:
        guest.delete()

    settled(lambda: Path(f"/proc/{pid}").exists(), False)


def test_one_sentence_for_every_mistake(cloud: Any, strike: Strike, guest: Any) -> None:
    """
    An unknown instance, a second fault and a needless mend are told in one line each.
    """
    unknown = cloud.run("break", "kill", "no-such-instance", check=False)
    assert unknown.returncode == 1
    assert "no instance is called no-such-instance" in unknown.stderr

    strike("hang", guest)
    second = cloud.run("break", "errors", guest.id, check=False)
    assert second.returncode == 1
    assert "broken already (hang)" in second.stderr

    cloud.run("mend", guest.id)
    again = cloud.run("mend", guest.id)
    assert "was not broken" in again.stdout


def _timed(guest: Any, path: str) -> tuple[int, float]:
    started = time.monotonic()
    return guest.get(path, seconds=10), time.monotonic() - started
