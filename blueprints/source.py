"""
A YAML document with the line of each of its paths.

YAML is read as the safe subset, and more strictly: a key stands once, documents stay below limits of size, depth and of
nodes after aliases are expanded, so that no file can exhaust the machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from blueprints.problem import FileUnreadable, PathPart, Problem, YamlInvalid, dotted

SIZE_BYTES_MAX = 1_048_576
"""A platform file of 5,000 services stays below it."""

NODES_MAX = 200_000
"""After aliases are expanded; 5,000 services have about 100,000."""

DEPTH_MAX = 40
"""Blueprints nest about 8 deep; Python's own stack ends at 1,000."""

Path_ = tuple[PathPart, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """
    A document as read.

    Attributes:
        file: Its name for messages.
        data: The document: a mapping.
        lines: Line by path, counted from 1.
    """

    file: str
    data: Mapping[str, Any]
    lines: Mapping[Path_, int]

    def problem(self, path: Sequence[PathPart], message: str) -> Problem:
        """
        A problem at a path; the line is that of the nearest place that stands in the file.
        """
        place = tuple(path)
        while place and place not in self.lines:
            place = place[:-1]
        return Problem(self.file, message, dotted(path), self.lines.get(place))


def read_text(path: Path) -> str:
    """
    A file's text.

    Raises:
        FileUnreadable: With the reason.
    """
    file = str(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _unreadable(file, "there is no such file; check the path") from None
    except IsADirectoryError:
        raise _unreadable(file, "this is a folder; name a file in it") from None
    except OSError as error:
        raise _unreadable(file, f"cannot be read: {error.strerror}") from error
    if len(content) > SIZE_BYTES_MAX:
        raise _unreadable(file, f"is larger than {SIZE_BYTES_MAX} bytes; split it")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileUnreadable(
            [Problem(file, "is not UTF-8 text; save it as UTF-8", line=line)]
        ) from error


def parse(text: str, file: str) -> Source:
    """
    Read a document.

    Raises:
        YamlInvalid: It is no YAML, no mapping, or beyond a limit.
    """
    lines: dict[Path_, int] = {}
    try:
        data = _read(text, file, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        detail = error.problem or error.context or "unreadable"
        line = mark.line + 1 if mark else None
        raise YamlInvalid([Problem(file, f"not YAML: {detail}", line=line)]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise YamlInvalid([Problem(file, f"not YAML: {_first_line(error)}")]) from error
    except RecursionError:
        raise YamlInvalid([Problem(file, "nests too deep; flatten it")]) from None
    if not isinstance(data, dict):
        raise YamlInvalid([Problem(file, "must be a mapping of keys to values")])
    return Source(file, data, lines)


def _read(text: str, file: str, lines: dict[Path_, int]) -> Any:
    """
    The document's value; None when the text holds none. Fills `lines`.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _Walk(file, lines).visit(node, ())
        return loader.construct_document(node)
    finally:
        loader.dispose()


class _Walk:
    """
    Visit every node once per place it stands at, noting lines and refusing what is beyond the limits.
    """

    def __init__(self, file: str, lines: dict[Path_, int]) -> None:
        self._file = file
        self._lines = lines
        self._visited = 0

    def visit(self, node: yaml.Node, path: Path_) -> None:
        self._visited += 1
        line = node.start_mark.line + 1
        if self._visited > NODES_MAX:
            raise self._invalid(
                path, f"has more than {NODES_MAX} values with aliases expanded", line
            )
        if len(path) > DEPTH_MAX:
            raise self._invalid(path, f"nests deeper than {DEPTH_MAX} levels", line)
        self._lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                self.visit(child, (*path, index))

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            line = key.start_mark.line + 1
            if name is None or key.tag != "tag:yaml.org,2002:str":
                if key.tag != "tag:yaml.org,2002:merge":
                    shown = f"{name!r}" if name is not None else "a collection"
                    raise self._invalid(path, f"the key {shown} must be text", line)
            elif name in seen:
                raise self._invalid((*path, name), "stands here twice", line)
            if name is not None:
                seen.add(name)
                self._lines[*path, name] = line
            self.visit(value, (*path, name or ""))

    def _invalid(self, path: Path_, message: str, line: int) -> YamlInvalid:
        return YamlInvalid([Problem(self._file, message, dotted(path), line)])


def _unreadable(file: str, message: str) -> FileUnreadable:
    return FileUnreadable([Problem(file, message)])


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
