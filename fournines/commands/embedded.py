"""
cloud, break, mend: the embedded OpenStack, which has a virtual environment of its own.
"""

from __future__ import annotations

import os
import subprocess
from typing import Annotated

import typer

from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.local import programs
from fournines.settings import ROOT, settings

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="The embedded OpenStack."
)

InstanceArgument = Annotated[
    str, typer.Argument(help="Name, id, or the unique begin of one.")
]


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


@app.command("break")
def break_(
    kind: Annotated[
        str, typer.Argument(help="kill, hang, errors, grey-errors, grey-slow, ...")
    ],
    instance: InstanceArgument,
    *,
    as_json: JsonOption = False,
) -> None:
    """
    Break an instance of the embedded cloud, below the cloud's API.
    """
    _cloud("break", kind, instance, *(["--json"] if as_json else []))


@app.command()
def mend(instance: InstanceArgument, *, as_json: JsonOption = False) -> None:
    """
    Mend a broken instance of the embedded cloud.
    """
    _cloud("mend", instance, *(["--json"] if as_json else []))


def _cloud(*words: str) -> None:
    chosen = settings()
    interpreter = programs.cloud_interpreter()
    if not interpreter.exists():
        raise frame.Stop(
            "the embedded cloud's virtual environment is missing; run: make setup"
        )
    if os.geteuid() != 0 and words[0] != "status":
        raise frame.Stop(
            "the embedded cloud needs root (namespaces, mounts, bridges); "
            "run it with sudo, or use your own OpenStack: FOURNINES_CLOUD=NAME",
            frame.WRONG,
        )
    done = subprocess.run(
        [
            str(interpreter),
            *("-m", "fournines_sandbox", "--home", str(chosen.sandbox_home)),
            *("--slot", str(chosen.resolved_slot), *words),
        ],
        check=False,
    )
    if done.returncode != 0:
        raise typer.Exit(done.returncode)
