"""
up, down, logs: everything local.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from blueprints.problem import did_you_mean
from fournines.commands import frame
from fournines.local.bringing_up import bring_down, bring_up
from fournines.settings import settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
def up() -> None:
    """
    Start everything local: cloud, Prefect, Prometheus, Alertmanager, healer. Already running is fine.
    """
    chosen = settings()
    bring_up(chosen, frame.say)
    frame.say(
        f"Prefect: {chosen.url('prefect')}   Prometheus: {chosen.url('prometheus')}"
    )


@app.command()
def down() -> None:
    """
    Stop everything local; its state stays.
    """
    bring_down(settings(), frame.say)


@app.command()
def logs(
    program: Annotated[str | None, typer.Argument(help="One program.")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 20,
) -> None:
    """
    Show the logs of what runs locally.
    """
    folder = settings().log_dir
    there = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not there:
        raise frame.Stop(f"there are no logs in {folder}; begin with: fournines up")
    if program is not None and program not in there:
        raise frame.Stop(
            f"there is no log of {program!r}{did_you_mean(program, there)}", frame.WRONG
        )
    files = [there[program]] if program else list(there.values())
    words = ["tail", "-n", str(lines), *(["-F"] if follow else [])]
    os.execvp("tail", [*words, *(str(file) for file in files)])  # noqa: S606  no shell
