"""
A piece of a plan: what one part of a platform needs, before the pieces are joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fournines.model.refusal import Refusal
from fournines.planning.steps import Step


@dataclass(frozen=True, slots=True)
class Fragment:
    """
    Steps and refusals of one part.

    Attributes:
        ready: Ids of the steps after which the part serves.
        ended: Ids of the steps after which nothing of the part is left to be done.
    """

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    ready: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


def joined(fragments: Iterable[Fragment]) -> Fragment:
    """
    All of them as one.
    """
    found = list(fragments)
    return Fragment(
        steps=tuple(s for f in found for s in f.steps),
        refusals=tuple(r for f in found for r in f.refusals),
        ready=tuple(i for f in found for i in f.ready),
        ended=tuple(i for f in found for i in f.ended),
    )
