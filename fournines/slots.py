"""
Which slot a checkout has: remembered in its state directory, claimed on this machine so that two checkouts never share one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

SLOTS = 50
"""50 x 100 ports from 20000 stay below the kernel's ephemeral range (32768)."""

_CLAIMS = Path("/var/tmp/fournines-slots")  # noqa: S108  claims must outlive a reboot and be seen by every checkout


class NoSlotLeft(RuntimeError):
    """
    All slots of this machine are claimed.
    """


def claim(state_dir: Path) -> int:
    """
    The slot of a state directory, claiming one on the first call.

    A claim is a symbolic link from the slot's number to the state directory; a link whose directory is gone is free.
    """
    remembered = state_dir / "slot"
    if remembered.exists():
        return int(remembered.read_text())
    state_dir.mkdir(parents=True, exist_ok=True)
    _CLAIMS.mkdir(mode=0o1777, exist_ok=True)
    first = int(hashlib.sha256(str(state_dir).encode()).hexdigest(), 16) % SLOTS
    for offset in range(SLOTS):
        slot = (first + offset) % SLOTS
        if _take(_CLAIMS / str(slot), state_dir):
            remembered.write_text(str(slot))
            return slot
    raise NoSlotLeft(
        f"all {SLOTS} slots are claimed by the checkouts linked in {_CLAIMS}; "
        "remove the links of those no longer used"
    )


def _take(link: Path, state_dir: Path) -> bool:
    if link.is_symlink() and not link.exists():
        link.unlink(missing_ok=True)
    try:
        link.symlink_to(state_dir)
    except FileExistsError:
        return link.is_symlink() and link.readlink() == state_dir
    return True
