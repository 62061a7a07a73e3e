"""
Whether what a change rests on is still asked for, once its leases are held.
"""

from __future__ import annotations

from fournines.model.desired import Platform, Service
from fournines.store.protocol import LeaseHeld
from tasks.workshop import Workshop


class AskedAnew(LeaseHeld):
    """
    What is asked for was changed while the leases were waited for: what was meant rests on something that holds no more. The message says of what.
    """


def check(workshop: Workshop, known: Platform | None, only: str | None) -> None:
    """
    Raises AskedAnew when something else is asked for of a platform, or of one service (`only`), by now. None: nothing was known of it.
    """
    if known is None:
        return
    now = workshop.store.registry.platform(known.name)
    if only is None:
        same = now == known
    else:
        same = now is not None and _service(now, only) == _service(known, only)
    if not same:
        raise AskedAnew(f"something else is asked for of {only or known.name} by now")


def _service(platform: Platform, name: str) -> Service | None:
    return next((one for one in platform.services if one.name == name), None)
