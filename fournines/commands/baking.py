"""
bake: images from their recipes, here and now; the button of the same name does it on a worker.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fournines.commands import frame
from fournines.commands.frame import JsonOption
from tasks import bakery
from tasks.bakery import Batch

app = typer.Typer(rich_markup_mode=None)


@app.command()
def bake(
    names: Annotated[
        list[str] | None, typer.Argument(help="Recipes in deployments/images.")
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every recipe there is.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Even what is unchanged: newer packages.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Bake images and make them current; what they grow from is baked first when it must be. Services move to them at their next deploy.
    """
    if bool(names) is everything:
        raise frame.Stop(
            "name the images to bake, or say --all; there is "
            + ", ".join(sorted(bakery.recipe_names())),
            frame.WRONG,
        )
    with frame.workshop() as workshop:
        batch = bakery.bake(
            workshop,
            tuple(names or ()),
            again=again,
            tell=_quiet if as_json else frame.say,
        )
    _end(batch, as_json=as_json)


def _quiet(_line: str) -> None:
    """
    Programs read the end.
    """


def _end(batch: Batch, *, as_json: bool) -> None:
    if as_json:
        frame.say_json(
            {
                "baked": [
                    {**one.image.model_dump(mode="json"), "seconds": one.seconds}
                    for one in batch.baked
                ],
                "unchanged": [one.name for one in batch.unchanged],
                "failed": batch.failed,
            }
        )
    else:
        for line in batch.lines():
            if line.partition(":")[0] in batch.failed:
                frame.complain(line)
            else:
                frame.say(line)
    if not batch.ok:
        raise typer.Exit(frame.FAILED)
