"""
token rotate | retire | status: the bearer token of the healer's door. The token itself is never shown.
"""

from __future__ import annotations

import typer

from fournines import tokens
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.settings import settings

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="The healer's bearer token."
)


@app.command()
def rotate(*, as_json: JsonOption = False) -> None:
    """
    Make a new token. The old one stays good for a day, so nothing is lost meanwhile; no restart is needed.
    """
    if settings().webhook_token is not None:
        raise frame.Stop(
            "the token comes from FOURNINES_WEBHOOK_TOKEN: change it there and restart the healer",
            frame.WRONG,
        )
    tokens.rotate(settings().webhook_token_file)
    status(as_json=as_json)


@app.command()
def retire(*, as_json: JsonOption = False) -> None:
    """
    The old token is good no more, from this moment on.
    """
    tokens.retire(settings().webhook_token_file)
    status(as_json=as_json)


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """
    Where the token lies, and how many are good now.
    """
    file = settings().webhook_token_file
    given = settings().webhook_token
    good = len(
        tokens.Tokens(file, given.get_secret_value() if given else None).accepted()
    )
    if as_json:
        frame.say_json({"file": str(file), "accepted": good})
    elif good:
        frame.say(f"{good} of at most 2 tokens are good; Alertmanager reads {file}")
    else:
        frame.say(f"there is no token in {file}; `fournines up` makes one")
