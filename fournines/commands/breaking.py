"""
break, mend: faults, injected as hardware and software would fail.

What belongs to the embedded cloud is passed on to its own command line; the programs that run beside it are taken away
here. Imports little: a fault is timed from the moment it is typed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from fournines.local import blinding, cloud_command
from fournines.settings import Settings, settings

NAMES = ("break", "mend")

_ALL = "all"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}
_HELP = ("--help", "-h")
_PASSED = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}

_BRIEF = """\
Usage: fournines break KIND ... [--for TIME]
       fournines mend TARGET|all

The kinds of fault are the embedded cloud's; to see them run: make setup
"""
"""Said where the embedded cloud is not installed."""

app = typer.Typer(rich_markup_mode=None)


@app.command("break", context_settings=_PASSED)
def break_(context: typer.Context) -> None:
    """
    Break something as hardware and software would; nobody is told.
    """
    raise typer.Exit(run(["break", *context.args]))


@app.command("mend", context_settings=_PASSED)
def mend(context: typer.Context) -> None:
    """
    Mend what was broken.
    """
    raise typer.Exit(run(["mend", *context.args]))


def run(words: Sequence[str]) -> int:
    """
    Run `break ...` or `mend ...`; what a person did wrong is one sentence. Returns the exit status.
    """
    try:
        return _run(settings(), list(words))
    except (blinding.BlindingError, cloud_command.CloudCommandError) as error:
        sys.stderr.write(f"fournines: {error}\n")
        return getattr(error, "exit_code", 1)


def _run(chosen: Settings, words: list[str]) -> int:
    local = (*blinding.PROGRAMS, blinding.DATABASE)
    if words[:2] == ["break", "blind"] and not set(words) & set(_HELP):
        parsed = _parser(local).parse_args(words[2:])
        if parsed.what in local:
            sentence = blinding.strike(chosen, parsed.what, parsed.seconds)
            return _say(sentence, parsed.what, as_json=parsed.json)
    if words[0] == "mend" and len(words) > 1 and words[1] in local:
        sentence = blinding.mend(chosen, words[1])
        return _say(sentence, words[1], as_json="--json" in words)
    if words[:2] == ["mend", _ALL]:
        for sentence in blinding.mend_all(chosen):
            sys.stdout.write(f"{sentence}\n")
    asks = len(words) == 1 or bool(set(words) & set(_HELP))
    if asks and not cloud_command.interpreter().exists():
        sys.stdout.write(_BRIEF)
        return 0
    return cloud_command.run(chosen, *words, for_reading=asks)


def _parser(local: tuple[str, ...]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("fournines break blind", add_help=False)
    parser.add_argument("what", choices=(*local, "keystone", "mariadb"))
    parser.add_argument("--for", dest="seconds", type=_seconds, metavar="TIME")
    parser.add_argument("--json", action="store_true")
    return parser


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(
            f"{text} is no length of time; say for example 90s or 2m"
        )
    return float(found[1]) * _SECONDS[found[2]]


def _say(sentence: str, what: str, *, as_json: bool) -> int:
    said = {"kind": "blind", "what": what, "sentence": sentence}
    said["at"] = datetime.now(UTC).isoformat()
    sys.stdout.write(f"{json.dumps(said) if as_json else sentence}\n")
    return 0
