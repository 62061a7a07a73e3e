"""
Broken rules of pydantic models and JSON schemas as problems with paths and lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import jsonschema
import pydantic

from blueprints.problem import PathPart, Problem, did_you_mean
from blueprints.source import Source

M = TypeVar("M", bound=pydantic.BaseModel)

_SHAPES = {
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "text, in quotes where it looks like something else",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}
"""What pydantic calls by the names of Python."""

NAME_LETTERS = 20
"""Of a name whose pattern does not say it."""

Locate = Callable[[Sequence[PathPart], str], Problem]
"""Makes a problem of a path below some place and a message."""


def below(source: Source, *place: PathPart) -> Locate:
    """
    Problems of what stands below a place in a document.
    """
    return lambda path, message: source.problem((*place, *path), message)


def validated(
    model: type[M], data: Any, locate: Locate
) -> tuple[M | None, list[Problem]]:
    """
    A model's value, or everything that keeps it from being one.
    """
    try:
        return model.model_validate(data), []
    except pydantic.ValidationError as error:
        return None, [_of_pydantic(model, e, locate) for e in error.errors()]


def _of_pydantic(
    model: type[pydantic.BaseModel], error: Any, locate: Locate
) -> Problem:
    path = [part for part in error["loc"] if part != "[key]"]
    given = error["input"]
    match error["type"]:
        case "missing":
            return locate(path[:-1], f"lacks the key {path[-1]!r}")
        case "extra_forbidden":
            return locate(
                path,
                f"unknown key{did_you_mean(str(path[-1]), _fields(model, path[:-1]))}",
            )
        case "string_pattern_mismatch":
            return locate(
                path,
                f"{given!r} is no name: lower-case letters, digits and hyphens, at most "
                f"{_longest(error['ctx']['pattern'])}, beginning with a letter",
            )
    if error["type"] in _SHAPES:
        return locate(path, f"must be {_SHAPES[error['type']]}{_is(given)}")
    message = error["msg"].removeprefix("Value error, ")
    return locate(path, f"{message[:1].lower()}{message[1:]}{_is(given)}")


def _is(given: object) -> str:
    return "" if isinstance(given, (dict, list, tuple)) else f", is {given!r}"


def _longest(pattern: str) -> int:
    """
    How long a name may be by its pattern: a first letter, so many more, and often a last one.
    """
    more = re.search(r"\{0,(\d+)\}(\[?)", pattern)
    return 1 + int(more[1]) + len(more[2]) if more else NAME_LETTERS


def _fields(model: type[pydantic.BaseModel], path: Sequence[PathPart]) -> list[str]:
    """
    The keys a model has at a path; the deepest model met decides.
    """
    current = model
    for part in path:
        field = current.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field else None
        if inner is not None:
            current = inner
    return list(current.model_fields)


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def against_schema(
    schema: Mapping[str, Any], data: Mapping[str, Any], locate: Locate
) -> list[Problem]:
    """
    Where data breaks a JSON schema.
    """
    validator = jsonschema.Draft202012Validator(schema)
    found = sorted(validator.iter_errors(data), key=lambda e: list(map(str, e.path)))
    return [p for error in found for p in _of_schema(schema, error, locate)]


def _of_schema(
    schema: Mapping[str, Any], error: jsonschema.ValidationError, locate: Locate
) -> list[Problem]:
    path: list[PathPart] = list(error.absolute_path)
    given: Any = error.instance
    asked: Any = error.validator_value
    if error.validator == "additionalProperties" and not path:
        known = schema.get("properties", {})
        return [
            locate([name], f"unknown parameter{did_you_mean(name, known)}")
            for name in given
            if name not in known
        ]
    rule = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties" and asked is False:
        known = rule.get("properties", {})
        return [
            locate([*path, name], f"unknown key{did_you_mean(name, known)}")
            for name in given
            if name not in known
        ]
    if error.validator == "required" and not path:
        lacking = [n for n in asked if n not in given]
        return [locate([name], "is required and not given") for name in lacking]
    hint = rule.get("description")
    if error.validator == "not" and asked == {}:
        return [locate(path, f"is not for you to set: {hint}")]
    return [locate(path, f"{error.message}{f' ({hint})' if hint else ''}")]
