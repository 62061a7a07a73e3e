"""
What backup, backups and restore say of a message bus, whose backups are definitions.
"""

from __future__ import annotations

from datetime import datetime

from blueprints.rabbitmq.keeping import Kept
from fournines.commands import frame
from fournines.model.desired import Platform
from tasks import definitions

_AT = "%Y-%m-%d %H:%M:%S"
_KB = 1_000


def say_made(kept: Kept, *, as_json: bool) -> None:
    """
    Definitions that were taken.
    """
    if as_json:
        frame.say_json(kept.model_dump(mode="json") | {"label": kept.label})
    else:
        frame.say(f"{kept.label}: definitions, {kept.size_bytes / _KB:.1f} kB")


def show(there: tuple[Kept, ...], now: datetime, *, as_json: bool) -> None:
    """
    All that are kept.
    """
    if as_json:
        frame.say_json(
            [one.model_dump(mode="json") | {"label": one.label} for one in there]
        )
        return
    table = frame.table("definitions", "taken (UTC)", "age", "size")
    for one in there:
        hours = (now - one.at).total_seconds() / 3_600
        size = f"{one.size_bytes / _KB:.1f} kB"
        table.add_row(one.label, one.at.strftime(_AT), f"{hours:.1f} h", size)
    frame.out.print(table)


def bring_back(
    platform: Platform,
    service: str,
    new: str,
    to: datetime | None,
    label: str | None,
    *,
    as_json: bool,
) -> None:
    """
    Give a bus what was kept of another, or of itself.
    """
    with frame.workshop() as workshop:
        done = definitions.restore(workshop, platform, service, new, to=to, label=label)
    if as_json:
        frame.say_json({"backup": done.kept.label, "made": done.counts})
    else:
        frame.say(done.sentence())
