"""
Root file systems: unpacked images, shared read-only, and one thin writable layer per instance.

An image is a tar archive of a root directory. It is unpacked once per content and stays until nobody's lower layer is
below it any more and somebody prunes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fournines_sandbox.compute import disk
from fournines_sandbox.compute.command import CommandError, run

_UNUSED_SECONDS_MIN = 3600

# What belongs to one boot or one instance, and must not come along into an image of it.
NOT_IN_IMAGES = (
    "./var/lib/cloud/*",
    "./var/log/cloud-init*",
    "./var/log/journal/*",
    "./etc/machine-id",
    "./etc/hostname",
    "./run/*",
    "./tmp/*",
    "./volumes/*",
)


class ImageStore:
    """
    Unpacked images below one directory, by key (a hash of the content).
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def path(self, key: str) -> Path:
        """Where the image of that key is, or will be."""
        return self._directory / key

    def ensure(self, key: str, fetch: Callable[[Path], None]) -> Path:
        """
        The unpacked image; the first caller of a key fetches the archive, the others wait for it.

        Args:
            fetch: Writes the archive to the path it is given.
        """
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            path = self.path(key)
            if path.is_dir():
                return path
            self._directory.mkdir(parents=True, exist_ok=True)
            scratch = self._directory / f".{uuid.uuid4().hex}"
            archive = scratch.with_suffix(".tar")
            try:
                fetch(archive)
                unpack(archive, scratch)
                scratch.rename(path)
            finally:
                archive.unlink(missing_ok=True)
                shutil.rmtree(scratch, ignore_errors=True)
            return path

    def forget(self, key: str) -> None:
        """Delete an unpacked image; the caller knows that no layer lies on it."""
        path = self.path(key)
        if path.exists():
            dying = self._directory / f".{uuid.uuid4().hex}"
            path.rename(dying)
            shutil.rmtree(dying, ignore_errors=True)

    def prune(self, used: Collection[str], now: float) -> None:
        """
        Delete what no instance lies on and nobody has unpacked lately.

        Args:
            now: Seconds since the epoch. An image younger than an hour may be for an instance just being built.
        """
        for key in self.keys():
            if key not in used and now - self.path(key).stat().st_ctime > _UNUSED_SECONDS_MIN:
                self.forget(key)

    def keys(self) -> list[str]:
        """What is unpacked now."""
        if not self._directory.is_dir():
            return []
        return sorted(
            entry.name for entry in self._directory.iterdir() if not entry.name.startswith(".")
        )


def unpack(archive: Path, directory: Path) -> None:
    """Unpack a root file system; devices are left out, the container brings its own."""
    directory.mkdir(parents=True)
    run(
        "tar",
        "--extract",
        f"--file={archive}",
        f"--directory={directory}",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
        "--exclude=./dev/*",
        timeout_seconds=600,
    )
    if not any(
        (directory / name).exists()
        for name in ("sbin/init", "usr/lib/systemd/systemd", "lib/systemd/systemd")
    ):
        raise ValueError("the image is not a root file system with systemd: /sbin/init is missing")


def pack(root: Path, sink: Callable[[BinaryIO], None]) -> None:
    """
    Stream a root directory as an image archive to `sink`, without what belongs to one instance alone.
    """
    command = [
        "tar",
        "--create",
        "--file=-",
        f"--directory={root}",
        "--numeric-owner",
        "--xattrs",
        "--sparse",
    ]
    command += ["--one-file-system", "--ignore-failed-read", "--warning=no-file-changed"]
    command += [f"--exclude={pattern}" for pattern in NOT_IN_IMAGES] + ["."]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        assert tar.stderr is not None
        try:
            sink(tar.stdout)
        except BaseException:
            tar.kill()
            raise
        said = tar.stderr.read().decode(errors="replace")
    if tar.returncode not in (
        0,
        1,
    ):  # 1: a file changed while it was read, as on any running system
        raise CommandError(command, tar.returncode, said)


@dataclass(frozen=True, slots=True)
class Layer:
    """
    The writable layer of one instance, and where it is mounted over its image.

    Args:
        disk_gb: Size of the disk that holds what is written, as its flavor promises; 0: the machine's own, without a limit.
    """

    directory: Path
    disk_gb: int = 0

    @property
    def root(self) -> Path:
        """Mount point: the instance's root directory."""
        return self.directory / "root"

    @property
    def disk(self) -> Path:
        """Mount point of the disk that holds what is written."""
        return self.directory / "disk" if self.disk_gb else self.directory

    @property
    def file(self) -> Path:
        """The disk's bytes, sparse."""
        return self.directory / "disk.img"

    @property
    def upper(self) -> Path:
        """What the instance has written."""
        return self.disk / "upper"

    @property
    def mounted(self) -> bool:
        """Whether it is mounted now."""
        return os.path.ismount(self.root)

    def mount(self, lower: Path) -> None:
        """Mount it over an image; idempotent."""
        if self.mounted:
            return
        if self.disk_gb:
            if not self.file.exists():
                draft = self.file.with_suffix(".draft")
                disk.make(draft, self.disk_gb)
                draft.rename(self.file)
            # Written through in its own time: a power cut costs what it costs.
            disk.mount(self.file, self.disk, "nobarrier")
        work = self.disk / "work"
        # Left behind by a mount that was never undone (power cut); the kernel refuses the layer while it is there.
        shutil.rmtree(work, ignore_errors=True)
        for path in (self.root, self.upper, work):
            path.mkdir(parents=True, exist_ok=True)
        # Volatile: unmounting would otherwise flush the whole disk of the machine.
        options = f"lowerdir={lower},upperdir={self.upper},workdir={work},volatile"
        run("mount", "-t", "overlay", "fournines", "-o", options, str(self.root))

    def unmount(self) -> None:
        """Undo the mount; what was written stays. Idempotent."""
        unmount(self.root)
        if self.disk_gb:
            unmount(self.disk)


def unmount(path: Path) -> None:
    """Unmount whatever is mounted there, at once or as soon as its last user is gone. Idempotent."""
    while os.path.ismount(path):
        try:
            run("umount", str(path))
        except CommandError:
            run("umount", "--lazy", str(path))
    with contextlib.suppress(OSError):
        path.rmdir()
