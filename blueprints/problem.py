"""
What is wrong with a file of a person's, said so that it can be mended at once.

    BlueprintError
    ├── FileUnreadable     missing, not UTF-8, too large, a folder
    ├── YamlInvalid        not YAML, a key twice, too deep, too large when expanded
    ├── BlueprintInvalid   a blueprint breaks a rule of blueprints
    ├── PlatformInvalid    a platform.yaml breaks a rule, or one of a blueprint it uses
    └── ArtefactInvalid    an artefact cannot be fetched, is no archive, or is too large

All problems of a file come at once. The message of each names file, line, path and rule.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PathPart = str | int


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One broken rule.

    Attributes:
        file: The file as its reader named it.
        message: What is wrong and what to do.
        path: Where in the document: `services.shop.parameters.count`.
        line: Counted from 1.
    """

    file: str
    message: str
    path: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class BlueprintError(Exception):
    """
    What a person wrote cannot be used.

    Attributes:
        problems: At least one.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class FileUnreadable(BlueprintError):
    """
    The file cannot be read as text.
    """


class YamlInvalid(BlueprintError):
    """
    The text is no YAML we take.
    """


class BlueprintInvalid(BlueprintError):
    """
    A blueprint breaks a rule of blueprints.
    """


class PlatformInvalid(BlueprintError):
    """
    A platform file breaks a rule.
    """


class ArtefactInvalid(BlueprintError):
    """
    An artefact cannot be used.
    """


def dotted(path: Sequence[PathPart]) -> str:
    """
    A path as people read it: `groups.web.ports[0].port`.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """
    "; did you mean 'web'?" or, when nothing is near, what there is.
    """
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(names)}" if names else ""
