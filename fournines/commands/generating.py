"""
generate: alert rules and dashboards from the model; what is committed must be what would be written.
"""

from __future__ import annotations

from typing import Annotated

import typer

from alerts import generation
from fournines.commands import frame
from fournines.settings import ROOT

app = typer.Typer(rich_markup_mode=None)


@app.command()
def generate(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when stale.")
    ] = False,
) -> None:
    """
    Write alert rules and dashboards anew.
    """
    wanted = {
        **generation.generate(ROOT),
        **frame.load("dashboards.build").generate(ROOT),
    }
    stale = {
        path: text
        for path, text in wanted.items()
        if not path.exists() or path.read_text() != text
    }
    if check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        raise frame.Stop(f"stale: {names}; run: make gen")
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    frame.say(f"{len(wanted)} generated files are current ({len(stale)} written)")
