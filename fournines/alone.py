"""
Nobody beside us: whatever is handed out is done at once, in the caller's thread. For rehearsals, whose time is virtual.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from fournines.crew import Event

T = TypeVar("T")


class AtOnce(Executor):
    """
    Does what is submitted before it returns.
    """

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """
        Do it now; what it raises stands in the future.
        """
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  as every executor: whoever asks for the result gets it
            future.set_exception(error)
        return future


class Alone:
    """
    A `Crew` of nobody. What would be done beside us is not done.
    """

    def hands(self, count: int, name: str) -> Executor:  # noqa: ARG002  a crew's words
        return AtOnce()

    def beside(
        self, name: str, act: Callable[[], object], *, after_seconds: float = 0
    ) -> None:
        """
        Not done: a rehearsal has no aside.
        """

    def first_done(self, futures: Collection[Future[T]]) -> set[Future[T]]:
        return {future for future in futures if future.done()}

    def lock(self) -> AbstractContextManager[object]:
        return threading.RLock()

    def event(self) -> Event:
        return threading.Event()
