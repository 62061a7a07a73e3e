"""
Servers of the embedded cloud: their life as the API tells it, and as the machine shows it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

pytestmark = pytest.mark.sandbox

FIRST_ANSWER_SECONDS_MAX = 60
"""It takes 4 s on an idle machine."""

AT_ONCE = 20


def test_server_serves_after_its_user_data(place: Any) -> None:
    """
    A server is ACTIVE, runs its user-data, serves, and its console tells of it.
    """
    started = time.monotonic()
    guest = place.boot("first", metadata={"tier": "web"})
    guest.until("ACTIVE", serving=True)
    seconds = time.monotonic() - started

    assert seconds < FIRST_ANSWER_SECONDS_MAX
    assert guest.shell("cat /etc/hostname").strip() == "first"
    seed = guest.shell("cat /var/lib/cloud/seed/nocloud/meta-data")
    assert '"tier": "web"' in seed
    console = guest.member.compute.get_server_console_output(guest.id)["output"]
    assert "Cloud-init" in console


@pytest.mark.parametrize("kind", ["SOFT", "HARD"])
def test_reboot_keeps_the_disk(guest: Any, kind: str) -> None:
    """
    A rebooted server has a new init, its old bytes, and serves again by itself.
    """
    guest.shell("echo kept > /root/note")
    before = guest.init

    guest.member.compute.reboot_server(guest.id, kind)
    time.sleep(0.5)
    guest.until("ACTIVE", serving=True)

    assert guest.init != before
    assert guest.shell("cat /root/note") == "kept\n"


def test_stopped_server_starts_again(guest: Any) -> None:
    """
    A stopped server answers nothing; started again it serves from the same address.
    """
    address = guest.address
    guest.member.compute.stop_server(guest.id)
    guest.until("SHUTOFF")
    assert guest.get() == 0

    guest.member.compute.start_server(guest.id)
    guest.until("ACTIVE", serving=True)

    assert guest.address == address


def test_paused_server_goes_on_where_it_was(guest: Any) -> None:
    """
    A paused server does not answer; unpaused it is the same boot.
    """
    before = guest.init
    guest.member.compute.pause_server(guest.id)
    guest.until("PAUSED")
    assert guest.get(seconds=1) == 0

    guest.member.compute.unpause_server(guest.id)
    guest.until("ACTIVE", serving=True)

    assert guest.init == before


def test_resized_server_has_new_limits_and_old_bytes(guest: Any) -> None:
    """
    A resize changes what the guest may use, not what it has written.
    """
    guest.shell("echo kept > /root/note")
    bigger = guest.member.compute.find_flavor("m1.small")

    guest.member.compute.resize_server(guest.id, bigger.id)
    guest.until("VERIFY_RESIZE")
    guest.member.compute.confirm_server_resize(guest.id)
    guest.until("ACTIVE", serving=True)

    assert guest.shell("cat /root/note") == "kept\n"
    assert _memory_limit(guest) == bigger.ram << 20


def test_rebuilt_server_is_new_at_its_old_address(guest: Any) -> None:
    """
    A rebuild forgets the disk and keeps id and address.
    """
    guest.shell("echo lost > /root/note")
    address, before = guest.address, guest.init
    image = guest.member.image.find_image("debian-12")

    guest.member.compute.rebuild_server(guest.id, image.id)
    guest.until("ACTIVE", serving=True)

    assert guest.address == address
    assert guest.shell("ls /root") == ""
    assert guest.init != before


def test_image_of_a_server_boots_as_another_server(
    place: Any, guest: Any, settled: Callable[[Callable[[], Any], Any], None]
) -> None:
    """
    An image of a server keeps what was installed, not who the server was.
    """
    compute, images = guest.member.compute, guest.member.image
    guest.shell("echo baked > /opt/note")
    made = compute.create_server_image(guest.id, "baked")
    settled(lambda: images.get_image(made.id).status, "active")
    guest.until("ACTIVE")

    try:
        # Nova asks for a disk as large as the one the image was made of.
        other = place.boot("other", flavor="m1.small", image_id=made.id)
        other.until("ACTIVE", serving=True)

        assert other.shell("cat /opt/note") == "baked\n"
        assert other.shell("cat /etc/hostname") == "other\n"
        machine_ids = [one.shell("cat /etc/machine-id") for one in (guest, other)]
        assert machine_ids[0] != machine_ids[1]
    finally:
        images.delete_image(made.id)


def test_anti_affinity_and_zones_mean_something(place: Any, admin: Any) -> None:
    """
    Members of an anti-affinity group are on different hosts of the zone that was asked for;
    a zone has two hosts, so the third member finds none.
    """
    compute = place.member.compute
    group = compute.create_server_group(name="apart", policy="anti-affinity")
    try:
        apart = [
            place.boot(
                f"apart-{number}",
                availability_zone="az2",
                scheduler_hints={"group": group.id},
            ).until("ACTIVE")
            for number in range(2)
        ]
        hosts = {admin.compute.get_server(one.id).compute_host for one in apart}
        assert hosts == {"az2-host1", "az2-host2"}

        third = place.boot(
            "apart-2",
            availability_zone="az2",
            scheduler_hints={"group": group.id},
        ).until("ERROR")
        assert "No valid host" in third.now.fault["message"]
    finally:
        compute.delete_server_group(group.id)


def test_flavor_too_big_for_any_host(place: Any, admin: Any) -> None:
    """
    A flavor larger than a host ends in ERROR with Nova's own words.
    """
    huge = admin.compute.create_flavor(name="huge", ram=1 << 16, vcpus=1, disk=1)
    try:
        guest = place.boot("huge", flavor="huge").until("ERROR")
        assert "No valid host" in guest.now.fault["message"]
    finally:
        admin.compute.delete_flavor(huge.id)


def test_deleted_server_leaves_nothing(guest: Any) -> None:
    """
    After a delete there is no namespace, mount, control group, file or process of it.
    """
    init = guest.init
    guest.delete()

    assert not Path(f"/proc/{init}").exists()
    assert guest.id not in Path("/proc/self/mountinfo").read_text()
    assert not (guest.home / "state/instances" / guest.id).exists()
    assert not list(Path("/run/netns").glob(f"*-vm-{guest.id[:13]}"))
    assert not list(Path("/sys/fs/cgroup").glob(f"**/vm-{guest.id}"))


def test_servers_outlive_nova(cloud: Any, place: Any, guest: Any) -> None:
    """
    Nova killed with SIGKILL is back by itself; the server never noticed and can be deleted.
    """
    before, address = guest.init, guest.address
    nova = next(one for one in cloud.status()["services"] if one["name"] == "nova")
    os.kill(nova["pid"], signal.SIGKILL)

    assert guest.get(address=address) == 200
    _until_nova_answers(guest)
    assert guest.until("ACTIVE").init == before
    guest.member.compute.reboot_server(guest.id, "HARD")
    time.sleep(0.5)
    guest.until("ACTIVE", serving=True)


def test_twenty_servers_boot_at_once(place: Any) -> None:
    """
    Twenty servers created together all serve, spread over several hosts.
    """
    guests = [place.boot(f"crowd-{number}") for number in range(AT_ONCE)]

    for guest in guests:
        guest.until("ACTIVE", serving=True)

    zones = {guest.now.availability_zone for guest in guests}
    assert zones == {"az1", "az2", "az3"}
    crowd, alone = _weight(f"vm-{guests[0].id}/.."), _weight(f"vm-{guests[0].id}")
    assert crowd >= AT_ONCE * alone


def _memory_limit(guest: Any) -> int:
    for pattern, name in (
        ("memory/f9-*", "memory.limit_in_bytes"),
        ("f9-*", "memory.max"),
    ):
        for group in Path("/sys/fs/cgroup").glob(f"{pattern}/vm-{guest.id}/{name}"):
            return int(group.read_text())
    raise AssertionError("it has no memory limit")


def _weight(below: str) -> int:
    """
    What a group weighs when processors are short, below the cloud's.
    """
    for pattern, name in (("cpu/f9-*", "cpu.shares"), ("f9-*", "cpu.weight")):
        for group in Path("/sys/fs/cgroup").glob(f"{pattern}/{below}/{name}"):
            return int(group.read_text())
    raise AssertionError("the machine weighs no groups")


def _until_nova_answers(guest: Any) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            _ = guest.now
        except (SDKException, ClientException):  # it is just starting
            time.sleep(0.5)
        else:
            return
    raise AssertionError("nova did not come back")
