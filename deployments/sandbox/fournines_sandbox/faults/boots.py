"""
Faults of instances that are yet to boot: slow ones, and images whose instances start and never serve.

Both are written into the new instance's own disk, so they stay with it as they would.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from fournines_sandbox.compute.machine import all_machines
from fournines_sandbox.faults import standing
from fournines_sandbox.faults.standing import IMAGE, SLOW_BOOT
from fournines_sandbox.site import Site

_UNITS = Path("etc/systemd/system")
_SLOW = "slow-boot.service"


def afflict(site: Site, root: Path, image_id: str) -> None:
    """
    Give a new instance the faults that stand.

    Args:
        root: Its root directory, mounted.
        image_id: Glance's id of its image; empty when it boots from a volume.
    """
    slow = standing.find(site, SLOW_BOOT)
    if slow is not None:
        _slow(root, float(slow.facts["seconds"]))
    if image_id and standing.find(site, IMAGE, image_id) is not None:
        _useless(root)


def quicken(site: Site) -> None:
    """
    Let instances that were made slow boot quickly the next time.
    """
    for machine in all_machines(site):
        units = machine.layer.root / _UNITS
        for name in (f"basic.target.wants/{_SLOW}", _SLOW):
            with contextlib.suppress(OSError):
                (units / name).unlink()


def _slow(root: Path, seconds: float) -> None:
    """Nothing after the basic system starts before a sleep is over."""
    units = root / _UNITS
    (units / "basic.target.wants").mkdir(parents=True, exist_ok=True)
    (units / _SLOW).write_text(
        "[Unit]\nDescription=A slow boot\nDefaultDependencies=no\nBefore=basic.target\n"
        f"[Service]\nType=oneshot\nExecStart=/bin/sleep {seconds:g}\nTimeoutSec=0\n"
    )
    _link(units / "basic.target.wants" / _SLOW, f"../{_SLOW}")


def _useless(root: Path) -> None:
    """The system comes up without anything that serves."""
    units = root / _UNITS
    units.mkdir(parents=True, exist_ok=True)
    _link(units / "default.target", "/lib/systemd/system/basic.target")


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)
