"""
healing on | off | status: the master switch.
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from fournines.clock import SystemClock
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.store.switches import HEALING

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="The master switch of healing."
)

WhyOption = Annotated[str, typer.Option("--why", help="For those who ask later.")]


@app.command()
def on(*, why: WhyOption = "", as_json: JsonOption = False) -> None:
    """
    Let Fournines heal.
    """
    _set(on=True, why=why)
    status(as_json=as_json)


@app.command()
def off(*, why: WhyOption = "", as_json: JsonOption = False) -> None:
    """
    Heal nothing until it is switched on again; cases are still opened and say so.
    """
    _set(on=False, why=why)
    status(as_json=as_json)


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """
    Whether Fournines heals, and who decided that.
    """
    with frame.store() as store:
        is_on, why = store.switches.is_on(HEALING), store.switches.why(HEALING)
    if as_json:
        frame.say_json({"healing": is_on, "why": why})
    else:
        frame.say(f"healing is {'on' if is_on else 'off'}{f' ({why})' if why else ''}")


def _set(*, on: bool, why: str) -> None:
    with frame.store() as store:
        store.switches.set(
            HEALING, on=on, by=getpass.getuser(), why=why, at=SystemClock().now()
        )
