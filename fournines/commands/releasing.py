"""
image list | release: what was baked; builds whose replacements never served, and letting them be used again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated

import typer

from blueprints import baked
from blueprints.baked import Baked
from blueprints.problem import did_you_mean
from fournines.cloud.errors import CloudError
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.model.quarantine import Quarantine

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Images that were baked, and builds in quarantine.",
)


@app.command("list")
def listed(*, as_json: JsonOption = False) -> None:
    """
    What was baked and what it is good for; what is in quarantine, and what has a strike.
    """
    with frame.store() as store:
        held = store.quarantines.all()
    try:
        with frame.workshop() as workshop:
            known = baked.read(workshop.cloud.images())
            in_use = workshop.cloud.images_in_use()
    except CloudError as error:
        # What the store knows is worth saying all the same.
        known, in_use = (), frozenset()
        frame.complain(f"the images were not read: {error}")
    if as_json:
        frame.say_json(
            {
                "images": [
                    {**one.model_dump(mode="json"), "in_use": one.id in in_use}
                    for one in known
                ],
                "quarantine": [one.model_dump(mode="json") for one in held],
            }
        )
        return
    if known:
        _show_baked(known, in_use)
    if not held:
        frame.say("nothing is in quarantine")
        return
    _show_held(held)


def _show_baked(known: Iterable[Baked], in_use: Collection[str]) -> None:
    shown = frame.table("image", "state", "baked", "from", "MB", "used")
    for one in sorted(known, key=lambda one: (one.recipe, -one.at.timestamp())):
        shown.add_row(
            one.name,
            str(one.state),
            f"{one.at:%Y-%m-%d %H:%M}",
            one.parent,
            f"{one.size_bytes / 1e6:.0f}",
            "yes" if one.id in in_use else "",
        )
    frame.out.print(shown)


def _show_held(held: Iterable[Quarantine]) -> None:
    shown = frame.table(
        "image", "build", "of", "state", "never served", title="In quarantine"
    )
    for one in held:
        shown.add_row(
            one.image,
            one.digest[:8],
            one.place,
            f"since {one.held_at:%m-%d %H:%M:%S}" if one.held_at else "strike",
            ", ".join(strike.instance for strike in one.strikes),
        )
    frame.out.print(shown)


@app.command()
def release(
    name: Annotated[
        str,
        typer.Argument(help="An image, a build's digest, or platform/service/group."),
    ],
) -> None:
    """
    Let it be used again: its strikes are forgotten.
    """
    with frame.store() as store:
        known = store.quarantines.all()
        found = [
            one
            for one in known
            if name in {one.image, one.place, one.digest, one.digest[:8]}
        ]
        for one in found:
            store.quarantines.release(one.key)
    if not found:
        hint = did_you_mean(name, {one.image for one in known})
        raise frame.Stop(f"{name!r} is not in quarantine{hint}", frame.WRONG)
    for one in found:
        frame.say(
            f"image {one.image} (build {one.digest[:8]} of {one.place}) may be used again"
        )
