"""
The right to act, asked for once more right before every request to the cloud.

A plan's step may try a request again for a minute, and a process may be stopped for longer than its lease lives. Whoever performs a step grants
a check for its length; the cloud's door asks it before each try, so that a request is never sent on a right that somebody else has by now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Check = Callable[[], object]
"""Returns while the right stands, and raises once it does not."""

_checks: ContextVar[Check | None] = ContextVar("permit", default=None)


@contextmanager
def granted(check: Check) -> Iterator[None]:
    """
    Every request of this block asks `check` first.
    """
    token = _checks.set(check)
    try:
        yield
    finally:
        _checks.reset(token)


def ask() -> None:
    """
    Ask whether the right still stands. Without a grant there is nothing to ask: reading needs no right.
    """
    check = _checks.get()
    if check is not None:
        check()
