"""
Volumes of the embedded cloud: bytes that outlive their server, and copies of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

pytestmark = pytest.mark.sandbox

Settled = Callable[[Callable[[], Any], Any], None]

WHERE = "/volumes/vdb"
"""Where the first volume of a server appears inside."""


class Volumes:
    """
    Volumes made by a test, and their removal.
    """

    def __init__(self, member: Any, settled: Settled) -> None:
        self.storage = member.block_storage
        self.compute = member.compute
        self._settled = settled
        self._made: list[str] = []

    def make(self, size: int = 1, **more: Any) -> str:
        """A new volume, available."""
        made = self.storage.create_volume(size=size, name="test", **more)
        self._made.append(made.id)
        self.until(made.id, "available")
        return str(made.id)

    def until(self, volume_id: str, status: str) -> None:
        """Wait until a volume has a status."""
        self._settled(lambda: self.storage.get_volume(volume_id).status, status)

    def attach(self, guest: Any, volume_id: str) -> None:
        """Attach a volume and wait until it is."""
        self.compute.create_volume_attachment(guest.id, volume_id=volume_id)
        self.until(volume_id, "in-use")

    def detach(self, guest: Any, volume_id: str) -> None:
        """Detach a volume and wait until it is."""
        self.compute.delete_volume_attachment(guest.id, volume_id)
        self.until(volume_id, "available")

    def adopt(self, volume_id: str) -> None:
        """Remove a volume later that was not made by `make`."""
        self._made.append(volume_id)

    def remove(self) -> None:
        """Delete them all."""
        for volume_id in self._made:
            if self.storage.find_volume(volume_id, ignore_missing=True):
                self.until(volume_id, "available")
                self.storage.delete_volume(volume_id)
        for volume_id in self._made:
            self._settled(partial(self.storage.find_volume, volume_id), None)


@pytest.fixture
def volumes(member: Any, settled: Settled, request: Any) -> Iterator[Volumes]:
    """
    A maker of volumes; what it made is deleted after the servers.
    """
    made = Volumes(member, settled)
    yield made
    for guest in request.getfixturevalue("place").guests:
        guest.delete()
    made.remove()


def test_volume_keeps_its_bytes_when_its_server_is_replaced(
    place: Any, volumes: Volumes
) -> None:
    """
    What a server wrote to a volume is there on the server that takes its place.
    """
    first = place.boot("first").until("ACTIVE", serving=True)
    volume = volumes.make()
    volumes.attach(first, volume)
    first.shell(f"echo precious > {WHERE}/note; sync")

    first.delete()
    volumes.until(volume, "available")
    second = place.boot("second").until("ACTIVE", serving=True)
    volumes.attach(second, volume)

    assert second.shell(f"cat {WHERE}/note") == "precious\n"


def test_volume_comes_back_after_a_reboot(guest: Any, volumes: Volumes) -> None:
    """
    A hard reboot keeps attachments; a detached volume is gone from inside.
    """
    volume = volumes.make()
    volumes.attach(guest, volume)
    guest.shell(f"echo precious > {WHERE}/note")

    guest.member.compute.reboot_server(guest.id, "HARD")
    guest.until("ACTIVE")
    assert (
        guest.until("ACTIVE", serving=True).shell(f"cat {WHERE}/note") == "precious\n"
    )

    volumes.detach(guest, volume)
    assert guest.shell(f"ls -d {WHERE} 2>/dev/null || echo gone") == "gone\n"


def test_copies_of_a_volume_in_use(
    guest: Any, volumes: Volumes, settled: Settled
) -> None:
    """
    Snapshot, clone and backup of a volume in use are consistent file systems with its bytes.
    """
    storage = volumes.storage
    volume = volumes.make()
    volumes.attach(guest, volume)
    guest.shell(f"echo precious > {WHERE}/note")

    snapshot = storage.create_snapshot(volume_id=volume, name="test", force=True)
    settled(lambda: storage.get_snapshot(snapshot.id).status, "available")
    from_snapshot = volumes.make(size=2, snapshot_id=snapshot.id)
    clone = volumes.make(source_volume_id=volume)
    backup = storage.create_backup(volume_id=volume, name="test", force=True)
    settled(lambda: storage.get_backup(backup.id).status, "available")
    restored = storage.restore_backup(backup, name="restored").volume_id
    volumes.adopt(restored)
    volumes.until(restored, "available")
    volumes.detach(guest, volume)

    for copy, size in ((from_snapshot, 2), (clone, 1), (restored, 1)):
        volumes.attach(guest, copy)
        assert guest.shell(f"cat {WHERE}/note") == "precious\n"
        kib = int(guest.shell(f"df --output=size {WHERE} | tail -1"))
        assert size * 0.9 < kib / (1 << 20) <= size
        volumes.detach(guest, copy)
    storage.delete_backup(backup)
    storage.delete_snapshot(snapshot)
    settled(lambda: storage.find_snapshot(snapshot.id), None)


def test_server_boots_from_a_volume(place: Any, volumes: Volumes) -> None:
    """
    A volume made of the image is a root disk of its own, which survives the server.
    """
    image = volumes.storage._connection.image.find_image("debian-12")
    root = volumes.make(image_id=image.id)
    mapping = {
        "uuid": root,
        "source_type": "volume",
        "destination_type": "volume",
        "boot_index": 0,
        "delete_on_termination": False,
    }
    guest = place.boot("rooted", image_id="", block_device_mapping_v2=[mapping])
    guest.until("ACTIVE", serving=True)

    assert guest.shell("findmnt -n -o FSTYPE /") == "ext4\n"
    guest.delete()
    volumes.until(root, "available")
