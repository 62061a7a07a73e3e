"""
Limits of the kernel that many system containers meet and a default machine sets too low.

Every systemd keeps several inotify instances, all counted against the same user on the host; with the default of 128
about the twentieth container ends at boot with "Too many open files". They are raised, never lowered, and stay raised:
other containers of the machine may have come to need them.
"""

from __future__ import annotations

from pathlib import Path

_SYSCTL = Path("/proc/sys")

MINIMA = {
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 524288,
    "fs/inotify/max_queued_events": 16384,
}
"""What 50 containers need, several times over."""


def missing() -> dict[str, int]:
    """
    The limits that are too low, with what they should be.
    """
    return {name: least for name, least in MINIMA.items() if _now(name) < least}


def ensure() -> None:
    """
    Raise what is too low.
    """
    for name, least in missing().items():
        (_SYSCTL / name).write_text(f"{least}\n")


def _now(name: str) -> int:
    return int((_SYSCTL / name).read_text())
