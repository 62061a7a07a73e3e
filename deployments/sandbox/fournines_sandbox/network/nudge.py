"""
The nudge: whoever plugged a port tells the reconciler to look at once rather than at its next period.

A lost nudge costs a second, nothing else, so sending never fails.
"""

from __future__ import annotations

import contextlib
import socket

from fournines_sandbox.site import Site

_SOCKET = "network.sock"


def nudge(site: Site) -> None:
    """
    Ask the reconciler to look now; nobody listening is fine.
    """
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
    ):
        sender.sendto(b".", str(site.run / _SOCKET))


def listen(site: Site) -> socket.socket:
    """
    The reconciler's end; an old socket of a dead one is replaced.
    """
    path = site.run / _SOCKET
    path.unlink(missing_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(path))
    return receiver
