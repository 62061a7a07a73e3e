"""
What keeps healing back at this moment, in sentences: for `fournines status` and `cases`, the healer's pages and the Prefect UI.
"""

from __future__ import annotations

from datetime import datetime

from fournines.model import maintenance
from fournines.store.protocol import Store
from fournines.store.switches import HEALING


def sentences(store: Store, now: datetime) -> tuple[str, ...]:
    """
    The master switch when it is off, pauses and maintenance windows in force, builds in quarantine, and what waits for a person.
    """
    off = () if store.switches.is_on(HEALING) else (_switch(store),)
    pauses = (one.sentence() for one in store.pauses.all() if one.holds(now))
    held = (one.sentence() for one in store.quarantines.all() if one.held_at)
    asked = (one.sentence() for one in store.approvals.waiting())
    return (*off, *pauses, *open_windows(store, now), *held, *asked)


def open_windows(store: Store, now: datetime) -> tuple[str, ...]:
    """
    The maintenance windows that are open, of platforms and of services.
    """
    places = [
        place
        for platform in store.registry.platforms()
        for place in (
            (platform.name, platform.maintenance),
            *((f"{platform.name}/{s.name}", s.maintenance) for s in platform.services),
        )
    ]
    found = []
    for name, windows in places:
        opened = maintenance.open_window(windows, now)
        if opened is not None:
            window, end = opened
            found.append(
                f"{name} is in maintenance until {end:%Y-%m-%d %H:%M:%S} UTC: "
                f"{window.sentence()}"
            )
    return tuple(found)


def _switch(store: Store) -> str:
    return f"nothing is healed: {store.switches.why(HEALING)}"
