"""
credentials: what a service's tenant needs to use it, handed out once and then only rotated.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fournines.commands import frame
from fournines.commands.frame import JsonOption
from tasks import credentials as given
from tasks import rotation, sizing
from tasks.workshop import Workshop

app = typer.Typer(rich_markup_mode=None)


@app.command()
def rotate(
    service: Annotated[str, typer.Argument(help="A deployed service.")],
    *,
    platform: Annotated[
        str | None, typer.Option(help="Where several have such a service.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """
    New credentials for a service: its servers take them, and whoever holds them is rolled. Nothing is shown.
    """
    with frame.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform)
        found = _rotate(workshop, service, known.name)
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
        return
    for one in found:
        frame.say(one.sentence())
    frame.say(f"`fournines credentials {service}` hands the new ones out, once")


def _rotate(
    workshop: Workshop, service: str, platform: str
) -> tuple[rotation.Rotated, ...]:
    found = rotation.rotate_credentials(workshop, service, platform=platform)
    for one in found:
        if not one.result.ok:
            raise frame.Stop(
                f"the new credentials are not in force everywhere: {one.sentence()}",
                frame.REFUSED,
            )
    return found


@app.command()
def credentials(
    service: Annotated[str, typer.Argument(help="A deployed service.")],
    *,
    platform: Annotated[
        str | None, typer.Option(help="Where several have such a service.")
    ] = None,
    rotate: Annotated[
        bool,
        typer.Option(
            "--rotate", help="Make new ones first, and roll whoever holds them."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Hand out a service's credentials. They are shown once: whoever loses them asks for new ones.
    """
    with frame.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform)
        if rotate:
            _rotate(workshop, service, known.name)
        told = given.hand_out(workshop, known, service)
    # Not by way of `frame`, which conceals what this command is for.
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    for key, value in told.items():
        typer.echo(f"{key}: {value}" if "\n" not in value else f"{key}:\n{value}")
