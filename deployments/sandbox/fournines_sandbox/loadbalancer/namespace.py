"""
Network namespaces from within a process: sockets that live in another namespace than their owner.

A socket belongs for ever to the namespace it was made in, so one process can serve any number of namespaces. Only the
calling thread is moved, and for the instant of the system call alone.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fournines_sandbox.network.kernel import NETNS_DIRECTORY

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def path_of(name: str) -> Path:
    """
    The file that holds a named namespace.
    """
    return NETNS_DIRECTORY / name


def identity(name: str) -> tuple[int, int] | None:
    """
    Device and inode of a named namespace, None when it is absent; a namespace made anew differs.
    """
    try:
        found = path_of(name).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def socket_in(name: str) -> socket.socket:
    """
    Make a TCP socket in a named namespace.

    Raises:
        FileNotFoundError: There is no such namespace.
    """
    with _entered(name):
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)


@contextmanager
def _entered(name: str) -> Iterator[None]:
    # The thread's own entry, not /proc/self: other threads may be elsewhere at this instant.
    with Path("/proc/thread-self/ns/net").open("rb") as home, path_of(name).open("rb") as away:
        _setns(away.fileno())
        try:
            yield
        finally:
            _setns(home.fileno())


def _setns(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"cannot enter the network namespace: {os.strerror(code)}")
