"""
Jinja2 in blueprints: sandboxed, strict about what is undefined.

A text that is one expression, `"{{ count + 1 }}"`, becomes the expression's value with its type; any other text is
rendered to text. A mapping with the key `when` is left out unless the value of that key is true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from blueprints.problem import PathPart, Problem
from blueprints.validation import Locate

CONDITION = "when"

_WHOLE = re.compile(r"\s*\{\{((?:(?!\}\}).)*)\}\}\s*", re.DOTALL)
_MARKS = ("{{", "{%")


class Dropped:
    """
    Stands for what a false `when` leaves out.
    """


_DROPPED = Dropped()


def environment() -> jinja2.Environment:
    """
    The environment of every expression and user-data template.
    """
    return ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # cloud-config is no HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Evaluation:
    """
    One document evaluated with one set of values; collects its problems.
    """

    def __init__(self, values: Mapping[str, Any], locate: Locate) -> None:
        self._environment = environment()
        self._values = dict(values)
        self._locate = locate
        self.problems: list[Problem] = []

    def of(self, data: Any, path: Sequence[PathPart] = ()) -> Any:
        """
        The data with every expression in it replaced by its value.
        """
        if isinstance(data, str):
            return self._text(data, path)
        if isinstance(data, dict):
            return self._mapping(data, path)
        if isinstance(data, list):
            values = (self.of(item, (*path, n)) for n, item in enumerate(data))
            return [value for value in values if value is not _DROPPED]
        return data

    def render(self, template: str, path: Sequence[PathPart]) -> str:
        """
        A template as text; empty when it cannot be rendered.
        """
        try:
            return self._environment.from_string(template).render(self._values)
        except jinja2.TemplateSyntaxError as error:
            self._note(path, f"line {error.lineno} of the template: {error.message}")
        except jinja2.TemplateError as error:
            self._note(path, str(error))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._note(path, f"cannot be rendered: {error}")
        return ""

    def _mapping(self, data: Mapping[str, Any], path: Sequence[PathPart]) -> Any:
        if CONDITION in data and not self.of(data[CONDITION], (*path, CONDITION)):
            return _DROPPED
        values = {
            key: self.of(value, (*path, key))
            for key, value in data.items()
            if key != CONDITION
        }
        return {key: value for key, value in values.items() if value is not _DROPPED}

    def _text(self, text: str, path: Sequence[PathPart]) -> Any:
        if not any(mark in text for mark in _MARKS):
            return text
        whole = _WHOLE.fullmatch(text)
        return self._value(whole[1], path) if whole else self.render(text, path)

    def _value(self, expression: str, path: Sequence[PathPart]) -> Any:
        try:
            compiled = self._environment.compile_expression(
                expression, undefined_to_none=False
            )
            value = compiled(**self._values)
            if isinstance(value, jinja2.Undefined):
                # Using a strict undefined is what makes it speak.
                value = str(value)
        except jinja2.TemplateError as error:
            self._note(path, f"in {{{{{expression}}}}}: {error}")
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._note(path, f"{{{{{expression}}}}} cannot be evaluated: {error}")
        else:
            return value
        return None

    def _note(self, path: Sequence[PathPart], message: str) -> None:
        self.problems.append(self._locate(path, message))
