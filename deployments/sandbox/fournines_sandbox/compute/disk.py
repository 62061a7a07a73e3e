"""
Volumes on this machine: a sparse file with a file system, mounted through a loop device.

The file system is there from the start, because an instance here has no block device to make one on: an attached
volume appears inside as a directory, `/volumes/<device>`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fournines_sandbox.compute import hotmount
from fournines_sandbox.compute.command import CommandError, run
from fournines_sandbox.compute.process import Process

FILLER = ".fault-full-disk"
"""The file that fills a disk."""

_BUSY = 16
_DETACH_SECONDS = 5.0  # as long as a guest may take to let go of it
_GIB = 1 << 30


def make(file: Path, size_gb: int, content: Path | None = None) -> None:
    """Make a volume's file, its file system empty or filled from a directory."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as handle:
        handle.truncate(size_gb * _GIB)
    fill = ["-d", str(content)] if content else []
    run(
        "mkfs.ext4",
        *("-q", "-F", "-m", "0", "-J", "size=4", "-E", "lazy_itable_init=1,lazy_journal_init=1"),
        *fill,
        str(file),
        timeout_seconds=300,
    )


def copy(source: Path, target: Path, size_gb: int) -> None:
    """Copy a volume's bytes, sharing them where the file system can, and grow the copy to a size."""
    with still(source):
        run(
            "cp",
            "--sparse=always",
            "--reflink=auto",
            str(source),
            str(target),
            timeout_seconds=1800,
        )
    grow(target, size_gb)


def grow(file: Path, size_gb: int) -> None:
    """Grow a volume; mounted or not. Smaller than it is: nothing happens."""
    if file.stat().st_size >= size_gb * _GIB:
        return
    os.truncate(file, size_gb * _GIB)
    device = loop_of(file)
    if device:
        run("losetup", "--set-capacity", device)
        run("resize2fs", device)
        return
    if not is_ext4(file):
        return
    repair(file)
    run("resize2fs", str(file))


def await_released(file: Path) -> None:
    """
    Return when nothing uses a file any more, or after some seconds: a guest that was switched off lets go of its disk a moment later,
    and in that moment the kernel grows it neither mounted nor unmounted.
    """
    deadline = time.monotonic() + _DETACH_SECONDS
    while loop_of(file) and time.monotonic() < deadline:
        time.sleep(0.1)


def repair(file: Path) -> None:
    """Replay the journal and put right what a crash left; status 1 means that something was put right."""
    try:
        run("e2fsck", "-f", "-p", str(file), timeout_seconds=600)
    except CommandError as error:
        if error.status != 1:
            raise


def is_ext4(file: Path) -> bool:
    """Whether a file begins with a file system of ours."""
    with file.open("rb") as handle:
        handle.seek(1080)
        return handle.read(2) == b"\x53\xef"


def loop_of(file: Path) -> str | None:
    """The loop device of a file in use."""
    lines = run("losetup", "--noheadings", "--output", "NAME", "--associated", str(file)).split()
    return lines[0] if lines else None


def mount(file: Path, directory: Path, *options: str) -> None:
    """Mount a volume on this machine; idempotent."""
    if not os.path.ismount(directory):
        directory.mkdir(parents=True, exist_ok=True)
        run("mount", "-o", ",".join(["loop", *options]), str(file), str(directory))


def mount_in_memory(directory: Path) -> None:
    """Mount a file system that lies in memory; idempotent."""
    if not os.path.ismount(directory):
        directory.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "size=100%", "fournines", str(directory))


def fill(directory: Path) -> None:
    """Fill the file system of a directory to its last block; full already is fine."""
    with (directory / FILLER).open("ab") as handle:
        # The last gigabytes in large pieces, the last blocks in small ones.
        for piece in (1 << 28, 1 << 22, 1 << 16, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(handle.fileno(), handle.seek(0, os.SEEK_END), piece)


def relieve(directory: Path) -> bool:
    """Take the filling away; whether there was one."""
    filler = directory / FILLER
    was = filler.exists()
    filler.unlink(missing_ok=True)
    return was


def attach(init: Process, directory: Path, target: str) -> None:
    """Show a mounted volume inside a running container."""
    run(sys.executable, "-I", hotmount.__file__, "attach", str(init.pid), str(directory), target)


def detach(init: Process, target: str) -> None:
    """
    Take it away again; a process inside that uses it has some seconds to stop that.

    Raises:
        CommandError: It is still in use.
    """
    deadline = time.monotonic() + _DETACH_SECONDS
    while True:
        try:
            run(sys.executable, "-I", hotmount.__file__, "detach", str(init.pid), target)
        except CommandError as error:
            if error.status != _BUSY or time.monotonic() > deadline or not init.alive:
                raise
            time.sleep(0.2)
        else:
            return


@contextlib.contextmanager
def still(file: Path) -> Iterator[None]:
    """Hold a mounted volume still, so that a copy of its bytes is a consistent file system."""
    device = loop_of(file)
    where = (
        run("findmnt", "--noheadings", "--first-only", "--output", "TARGET", device).strip()
        if device
        else ""
    )
    if where:
        run("fsfreeze", "--freeze", where)
    try:
        yield
    finally:
        if where:
            run("fsfreeze", "--unfreeze", where)
