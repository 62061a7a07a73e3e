"""
Documents once read need no second parsing: a healer reads the same cases, platforms and plans many times a minute.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from fournines.model.value import Value

REMEMBERED = 2_048
"""A case is some four kilobytes of text, a service some ten: what a storm's readers go through again and again."""

V = TypeVar("V", bound=Value)


@lru_cache(maxsize=REMEMBERED)
def parsed(kind: type[V], text: str) -> V:
    """
    The value that a document says. Values are immutable, so readers may share one.
    """
    return kind.model_validate_json(text)
