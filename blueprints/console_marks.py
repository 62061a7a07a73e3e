"""
What a builder says on its console: marks of one bake among all that systemd, the kernel and cloud-init say. Pure.

Consoles mix writers and may lose lines, so each mark stands on a line of its own with the bake's nonce, long texts come in numbered pieces, and
a text counts only when every piece is there and unpacks.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping

from pydantic import Field

from fournines.model.value import Value

SIGN = "@@fournines"


class Heard(Value):
    """
    What was understood so far.

    Attributes:
        begun: The steps, in order.
        failed: The step that failed; empty while none did.
        said: Bare words: `built`, `sealed`, `passed`.
        texts: Long texts that are complete, by what they are.
    """

    begun: tuple[str, ...] = ()
    failed: str = ""
    said: frozenset[str] = frozenset()
    texts: Mapping[str, str] = Field(default_factory=dict)


def heard(console: str, nonce: str) -> Heard:
    """
    The marks of a bake in a console log.
    """
    begun: list[str] = []
    failed = ""
    said: set[str] = set()
    pieces: dict[str, dict[int, str]] = {}
    totals: dict[str, int] = {}
    for word, rest in _marks(console, nonce):
        match word:
            case "begin":
                if rest not in begun:
                    begun.append(rest)
            case "failed":
                failed = failed or rest or "an unnamed step"
            case "part":
                _take(rest, pieces, totals)
            case _:
                said.add(word)
    texts = {
        kind: text
        for kind, total in totals.items()
        if (text := _joined(pieces[kind], total)) is not None
    }
    return Heard(begun=tuple(begun), failed=failed, said=frozenset(said), texts=texts)


def _marks(console: str, nonce: str) -> list[tuple[str, str]]:
    pattern = re.compile(rf"{re.escape(SIGN)} {re.escape(nonce)} ([a-z]+)(?: (.*))?$")
    found = (pattern.search(line.rstrip()) for line in console.splitlines())
    return [(one.group(1), one.group(2) or "") for one in found if one]


def _take(rest: str, pieces: dict[str, dict[int, str]], totals: dict[str, int]) -> None:
    """
    `part KIND 3/9 BASE64`; what does not read so was mixed with another's words.
    """
    found = re.fullmatch(r"([a-z]+) (\d+)/(\d+) ([A-Za-z0-9+/=]+)", rest)
    if found:
        kind, number, total, piece = found.groups()
        pieces.setdefault(kind, {})[int(number)] = piece
        totals[kind] = int(total)


def _joined(pieces: Mapping[int, str], total: int) -> str | None:
    if any(number not in pieces for number in range(1, total + 1)):
        return None
    packed = "".join(pieces[number] for number in range(1, total + 1))
    try:
        return gzip.decompress(base64.b64decode(packed, validate=True)).decode(
            errors="replace"
        )
    except (binascii.Error, OSError, EOFError, zlib.error):
        return None


def packages(text: str) -> dict[str, str]:
    """
    A package list, `name version` a line.
    """
    pairs = (line.split() for line in text.splitlines())
    return {pair[0].split(":")[0]: pair[1] for pair in pairs if len(pair) == 2}
