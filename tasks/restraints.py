"""
What keeps healing back at this moment, in sentences: for `fournines status`, the healer's pages and run buttons.
"""

from __future__ import annotations

from datetime import datetime

from fournines.model import maintenance
from fournines.model.desired import Platform
from fournines.store.protocol import Store


def sentences(store: Store, now: datetime) -> tuple[str, ...]:
    """
    Pauses and maintenance windows in force, and builds in quarantine.
    """
    pauses = (one.sentence() for one in store.pauses.all() if one.holds(now))
    windows = (
        line
        for platform in store.registry.platforms()
        for line in _windows(platform, now)
    )
    held = (one.sentence() for one in store.quarantines.all() if one.held_at)
    return (*pauses, *windows, *held)


def _windows(platform: Platform, now: datetime) -> list[str]:
    places = [(platform.name, platform.maintenance)]
    places += [(f"{platform.name}/{s.name}", s.maintenance) for s in platform.services]
    found = []
    for name, windows in places:
        opened = maintenance.open_window(windows, now)
        if opened is not None:
            window, end = opened
            found.append(
                f"{name} is in maintenance until {end:%Y-%m-%d %H:%M:%S} UTC: "
                f"{window.sentence()}"
            )
    return found
