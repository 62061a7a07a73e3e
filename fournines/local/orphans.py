"""
Programs whose supervisor was killed: found by the mark in their environment, ended before new ones take their ports.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

MARK = "FOURNINES_SUPERVISED_IN"
"""Set to the state directory for every supervised program; children inherit it."""

_GRACE_SECONDS = 5.0


def end_all(state_dir: Path) -> int:
    """
    End every process of this checkout's supervision; returns how many there were.

    Call only when the supervisor does not run: its live children carry the same mark.
    """
    found = _marked(state_dir)
    for pid in found:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while _marked(state_dir) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in _marked(state_dir):
        _signal(pid, signal.SIGKILL)
    return len(found)


def _marked(state_dir: Path) -> list[int]:
    wanted = f"{MARK}={state_dir}".encode()
    own = {os.getpid(), os.getppid()}
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in own:
            continue
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile, or another user's
        if wanted in variables:
            found.append(int(entry.name))
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # ended meanwhile
