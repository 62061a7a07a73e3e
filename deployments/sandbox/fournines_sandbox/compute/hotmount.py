"""
Move a clone of a mount into a running container, or unmount it there. Run as a program of its own, because joining
another mount namespace needs a process with a single thread.

    hotmount.py attach PID DIRECTORY TARGET
    hotmount.py detach PID TARGET

Mounting the device inside would fail: a container has no device nodes. Exit status 16 (EBUSY) says that a process
inside still uses it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_OPEN_TREE, _MOVE_MOUNT, _CLONE_NEWNS = 428, 429, 0x20000
_AT_FDCWD, _OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH = -100, 1, 4

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, attempted: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        print(f"{attempted}: {os.strerror(error)}", file=sys.stderr)
        raise SystemExit(error)
    return result


def _enter(pid: str) -> None:
    with Path(f"/proc/{pid}/ns/mnt").open("rb") as namespace:
        _checked(
            _libc.setns(namespace.fileno(), _CLONE_NEWNS), f"enter the mount namespace of {pid}"
        )


def attach(pid: str, directory: str, target: str) -> None:
    """Show the file system mounted at `directory` inside the container at `target`."""
    tree = _checked(
        _libc.syscall(_OPEN_TREE, _AT_FDCWD, directory.encode(), _OPEN_TREE_CLONE | os.O_CLOEXEC),
        f"clone the mount {directory}",
    )
    _enter(pid)
    if os.path.ismount(target):
        return
    Path(target).mkdir(parents=True, exist_ok=True)
    _checked(
        _libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, target.encode(), _MOVE_MOUNT_F_EMPTY_PATH),
        f"move it to {target}",
    )


def detach(pid: str, target: str) -> None:
    """Take it away again."""
    _enter(pid)
    if os.path.ismount(target):
        _checked(_libc.umount2(target.encode(), 0), f"unmount {target}")
    with contextlib.suppress(OSError):
        Path(target).rmdir()


if __name__ == "__main__":
    {"attach": attach, "detach": detach}[sys.argv[1]](*sys.argv[2:])
