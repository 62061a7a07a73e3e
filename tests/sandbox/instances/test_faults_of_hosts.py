"""
Faults around instances: cables, memory, disks, hosts, zones, slow boots and bad images, as their users see them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.sandbox

Breaking = Callable[..., dict[str, Any]]
Settled = Callable[[Callable[[], Any], Any], None]

SLOW_SECONDS = 8
LATE_SECONDS = 8
"""How long a new instance that never serves is watched; a good one serves within 4 s."""


def test_cut_off(cloud: Any, breaking: Breaking, guest: Any) -> None:
    """
    No packet reaches an instance whose cables are pulled, though it runs; mended, it goes on where it was.
    """
    before = guest.init
    breaking("cut", guest.id)
    breaking("cut", guest.id)
    assert guest.get(seconds=1) == 0
    assert guest.init == before
    assert guest.now.status == "ACTIVE"

    cloud.run("mend", guest.id)

    assert guest.get() == 200
    assert guest.init == before


def test_cut_ends_by_itself(breaking: Breaking, guest: Any, settled: Settled) -> None:
    """
    A fault for a time is mended without anybody.
    """
    breaking("cut", guest.id, "--for", "2s")
    assert guest.get(seconds=1) == 0

    settled(guest.get, 200)


def test_full_disk(cloud: Any, breaking: Breaking, guest: Any) -> None:
    """
    On a full disk nothing can be written, what was written can be read; mended, there is room again.
    """
    write = "head -c 100000 /dev/zero > /root/more 2>/dev/null && echo written || echo no room"
    guest.shell("echo kept > /root/kept; sync")
    breaking("full-disk", guest.id)
    breaking("full-disk", guest.id)
    assert guest.shell(write) == "no room\n"
    assert guest.shell("cat /root/kept") == "kept\n"

    cloud.run("mend", guest.id)

    assert guest.shell(write) == "written\n"


def test_the_flavors_disk_is_the_instances(guest: Any) -> None:
    """
    An instance has the disk its flavor promises: one gigabyte of m1.tiny.
    """
    blocks = int(guest.shell("df --output=size -B1M / | tail -1"))

    assert 900 < blocks <= 1024


def test_out_of_memory(
    cloud: Any, breaking: Breaking, guest: Any, settled: Settled
) -> None:
    """
    An instance without memory loses its service to the kernel; mended and restarted, it serves.
    """
    breaking("memory", guest.id)
    settled(lambda: guest.get(seconds=1), 0)

    cloud.run("mend", guest.id, check=False)
    guest.member.compute.reboot_server(guest.id, "HARD")
    time.sleep(0.5)

    guest.until("ACTIVE", serving=True)


def test_host_down(
    cloud: Any,
    admin: Any,
    breaking: Breaking,
    place: Any,
    settled: Settled,
) -> None:
    """
    A host without power: its instance is gone silently, Nova notices late and schedules nothing there; then it comes back with it.
    """
    victim = place.boot("victim").until("ACTIVE", serving=True)
    host = admin.compute.get_server(victim.id).hypervisor_hostname
    address = victim.address

    told = breaking("host-down", victim.id)
    assert told["hosts"] == [host]
    assert told["instances"] >= 1
    assert victim.get(seconds=1, address=address) == 0
    assert victim.now.status == "ACTIVE"

    settled(lambda: state_of(admin, host), "down")
    zone = host.partition("-")[0]
    others = [place.boot(f"other-{n}", availability_zone=zone) for n in range(3)]
    for other in others:
        other.until("ACTIVE")
    homes = {admin.compute.get_server(one.id).hypervisor_hostname for one in others}
    assert host not in homes

    cloud.run("mend", host)
    settled(lambda: state_of(admin, host), "up")
    victim.until("ACTIVE", serving=True)
    for guest in (victim, *others):
        guest.delete()


def test_zone_down(admin: Any, cloud: Any, breaking: Breaking, place: Any) -> None:
    """
    A zone without power takes the instances on all of its hosts, and no other's.
    """
    inside = place.boot("inside", availability_zone="az3").until("ACTIVE", serving=True)
    outside = place.boot("outside", availability_zone="az1")
    outside.until("ACTIVE", serving=True)
    addresses = {one.name: one.address for one in (inside, outside)}

    told = breaking("zone-down", "az3")
    assert told["hosts"] == ["az3-host1", "az3-host2"]
    assert inside.get(seconds=1, address=addresses["inside"]) == 0
    assert outside.get(address=addresses["outside"]) == 200

    cloud.run("mend", "az3")
    inside.until("ACTIVE", serving=True)
    for guest in (inside, outside):
        guest.delete()


def test_slow_boot(cloud: Any, breaking: Breaking, place: Any) -> None:
    """
    A slow instance is ACTIVE long before it serves; mended, the next one is quick and so is the slow one's next boot.
    """
    breaking("slow-boot", "--seconds", str(SLOW_SECONDS))
    slow = place.boot("slow").until("ACTIVE")
    began = time.monotonic()
    slow.until("ACTIVE", serving=True)
    assert time.monotonic() - began > SLOW_SECONDS / 2

    cloud.run("mend", "slow-boot")

    assert "slow" not in slow.shell("ls /etc/systemd/system/basic.target.wants")
    slow.delete()


def test_bad_image(cloud: Any, breaking: Breaking, place: Any) -> None:
    """
    An instance of a bad image runs and never serves; mended, the next one serves and the bad one stays bad.
    """
    told = breaking("bad-image", "debian-12")
    bad = place.boot("bad").until("ACTIVE")
    address = bad.address
    deadline = time.monotonic() + LATE_SECONDS
    while time.monotonic() < deadline:
        assert bad.get(seconds=1, address=address) == 0
        time.sleep(0.5)
    assert "init.scope" in bad.shell("systemctl list-units --no-legend")

    mended = json.loads(cloud.run("mend", "debian-12", "--json").stdout)
    assert mended["image"] == told["image"]
    good = place.boot("good").until("ACTIVE", serving=True)
    assert bad.get(seconds=1, address=address) == 0
    for guest in (bad, good):
        guest.delete()


def state_of(admin: Any, host: str) -> str:
    """What Nova says of a host's compute service."""
    found = admin.compute.services(host=host, binary="nova-compute")
    return str(next(iter(found)).state)
