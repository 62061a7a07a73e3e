"""
cloud: the embedded OpenStack, which has a virtual environment of its own.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.local import cloud_command
from fournines.settings import ROOT, settings

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="The embedded OpenStack."
)


@app.command()
def up() -> None:
    """
    Start the embedded cloud; already running is fine.
    """
    _cloud("up", "--clouds-file", str(ROOT / "clouds.yaml"))


@app.command()
def down() -> None:
    """
    Stop the embedded cloud; its state stays.
    """
    _cloud("down")


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """
    What of it runs, and whether it answers.
    """
    _cloud("status", *(["--json"] if as_json else []))


@app.command()
def reset(
    *, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """
    Stop the embedded cloud and forget its state.
    """
    if not yes and not typer.confirm("Forget everything in it?", err=True):
        raise frame.Stop("nothing was touched; say --yes to reset", frame.WRONG)
    _cloud("reset")


def _cloud(*words: str) -> None:
    reads = words[0] == "status"
    done = cloud_command.run(settings(), *words, for_reading=reads)
    if done != 0:
        raise typer.Exit(done)
