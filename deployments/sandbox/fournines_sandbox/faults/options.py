"""
Options and kinds of value that the commands `break` and `mend` share.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import click

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType):
    """
    A length of time: `90`, `90s`, `2m`, `1h`.
    """

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(str(value))
        if found is None or float(found[1]) == 0:
            self.fail(f"{value} is no length of time; say for example 90s or 2m", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


class Words(click.ParamType):
    """
    Some of a set of words, with commas between them; `all` is all of them.
    """

    name = "words"

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        if isinstance(value, list):
            return value
        if value == "all":
            return list(self.known)
        words = [word.strip() for word in str(value).split(",") if word.strip()]
        wrong = [word for word in words if word not in self.known]
        if wrong or not words:
            self.fail(
                f"unknown: {', '.join(wrong)}; there are: {', '.join(self.known)}", param, ctx
            )
        return words


as_json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")
for_option = click.option(
    "--for", "for_", type=Duration(), help="Mended by itself after this time, as 90s or 2m."
)


def say(as_json: bool, sentence: str, **facts: Any) -> None:
    """One sentence, or the same with its facts as JSON."""
    said = {**facts, "at": datetime.now(UTC).isoformat(), "sentence": sentence}
    click.echo(json.dumps(said) if as_json else sentence)
