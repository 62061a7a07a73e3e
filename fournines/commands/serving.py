"""
healer: the long-running process that receives alerts and heals.
"""

from __future__ import annotations

import os

import typer

from fournines.commands import frame
from fournines.local import programs
from fournines.settings import settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
def healer() -> None:
    """
    Run the healer in the foreground.
    """
    for name, value in programs.environment(settings()).items():
        os.environ.setdefault(name, value)
    frame.load("flows.healer").main()
