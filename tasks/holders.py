"""
Who holds a lease: user, host, process and run. A name says enough to know whether its process still lives, on this host.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import uuid
from pathlib import Path

_HOLDER = re.compile(
    r"^(?P<user>\S+)@(?P<host>\S+) process (?P<process>\d+)/(?P<begun>\d+) "
)


def name() -> str:
    """
    Who we are, for this one operation.
    """
    me = os.getpid()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    run = uuid.uuid4().hex[:6]
    return f"{user}@{socket.gethostname()} process {me}/{_begun(me) or 0} run {run}"


def same_process(one: str, other: str) -> bool:
    """
    Whether two holders are runs of one process.
    """
    return one.partition(" run ")[0] == other.partition(" run ")[0]


def is_dead(holder: str) -> bool:
    """
    Whether a holder was a process of this host that runs no more.
    """
    found = _HOLDER.match(holder)
    if found is None or found["host"] != socket.gethostname():
        return False
    return _begun(int(found["process"])) != int(found["begun"])


def _begun(process: int) -> int | None:
    """
    When a process began, in clock ticks since boot: together with its number it is unique until the next boot.
    """
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])
