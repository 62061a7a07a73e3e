"""
image list | release: builds whose replacements never served, and letting them be used again.
"""

from __future__ import annotations

from typing import Annotated

import typer

from blueprints.problem import did_you_mean
from fournines.commands import frame
from fournines.commands.frame import JsonOption

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Builds in quarantine: their replacements never served.",
)


@app.command("list")
def listed(*, as_json: JsonOption = False) -> None:
    """
    What is in quarantine, and what has a strike.
    """
    with frame.store() as store:
        found = store.quarantines.all()
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        frame.say("nothing is in quarantine")
        return
    shown = frame.table("image", "build", "of", "state", "never served")
    for one in found:
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
