"""
pause, unpause: hands off a service, a group, a slot or an instance, for a while or until somebody lifts it.
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from fournines.clock import SystemClock
from fournines.commands import frame
from fournines.commands.deploying import PlatformOption
from fournines.commands.frame import JsonOption
from fournines.model import duration
from fournines.model.pause import Pause
from fournines.store.protocol import Store
from tasks import pausing

app = typer.Typer(rich_markup_mode=None)

PlaceArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="PLACE",
        help="A service (shop), a group (shop/web), a slot (demo-shop-web-2) or an "
        "instance (demo-shop-web-2-g3); without one, what is paused is listed.",
    ),
]


@app.command()
def pause(
    place: PlaceArgument = None,
    *,
    lasting: Annotated[
        str | None,
        typer.Option("--for", help="30m, 2h, 7d; without it until unpaused."),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="For those who ask later.")] = "",
    platform: PlatformOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Keep healing's hands off a place: nothing of it is changed, not even a weight.
    """
    with frame.store() as store:
        if place is not None:
            _pause(store, place, lasting, why, platform)
        now = SystemClock().now()
        found = [one for one in store.pauses.all() if one.holds(now)]
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
    else:
        for one in found:
            frame.say(one.sentence())
        if not found:
            frame.say("nothing is paused")


@app.command()
def unpause(
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="As it was paused, or its key.")
    ],
    *,
    platform: PlatformOption = None,
) -> None:
    """
    Let a paused place be healed again.
    """
    with frame.store() as store:
        # By its key first: what was paused may be gone meanwhile.
        lifted = store.pauses.lift(place)
        if lifted is None:
            named = pausing.subject(store.registry, place, platform)
            lifted = store.pauses.lift(named.instance or named.key)
        known = ", ".join(one.key for one in store.pauses.all())
    if lifted is None:
        raise frame.Stop(
            f"{place} is not paused{f'; paused are {known}' if known else ''}",
            frame.WRONG,
        )
    frame.say(f"{lifted.key} is healed again")


def _pause(
    store: Store, place: str, lasting: str | None, why: str, platform: str | None
) -> None:
    now = SystemClock().now()
    try:
        until = now + duration.parse(lasting) if lasting is not None else None
    except (ValueError, OverflowError) as error:
        raise frame.Stop(f"--for: {error}", frame.WRONG) from error
    subject = pausing.subject(store.registry, place, platform)
    store.pauses.put(
        Pause(subject=subject, by=getpass.getuser(), at=now, why=why, until=until)
    )
