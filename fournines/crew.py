"""
Who works beside us: threads, or in a simulation tasks that take turns in one thread.

Whatever runs at the same time as something else, or waits for it, gets its executors, locks and events here and nowhere else. That is what lets
a simulation replay a whole healer from one seed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Event(Protocol):
    """
    Something that happens once, and may be waited for; as `threading.Event`.
    """

    def set(self) -> None: ...

    def clear(self) -> None: ...

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class Crew(Protocol):
    """
    A source of helpers.
    """

    def hands(self, count: int, name: str) -> Executor:
        """
        So many helpers, who take one piece of work after the other.
        """
        ...

    def beside(
        self, name: str, act: Callable[[], object], *, after_seconds: float = 0
    ) -> None:
        """
        Have something done beside us, at once or later; nobody waits for it, and the process may end before it.
        """
        ...

    def first_done(self, futures: Collection[Future[T]]) -> Collection[Future[T]]:
        """
        Wait until at least one of these is done; returns all that are.
        """
        ...

    def lock(self) -> AbstractContextManager[object]:
        """
        A lock that its holder may take again.
        """
        ...

    def event(self) -> Event:
        """
        An event.
        """
        ...


class Threads:
    """
    The machine's own.
    """

    def hands(self, count: int, name: str) -> Executor:
        return ThreadPoolExecutor(count, name)

    def beside(
        self, name: str, act: Callable[[], object], *, after_seconds: float = 0
    ) -> None:
        thread = (
            threading.Timer(after_seconds, act)
            if after_seconds
            else threading.Thread(target=act, name=name)
        )
        thread.daemon = True
        thread.start()

    def first_done(self, futures: Collection[Future[T]]) -> Collection[Future[T]]:
        return wait(futures, return_when=FIRST_COMPLETED).done

    def lock(self) -> AbstractContextManager[object]:
        return threading.RLock()

    def event(self) -> Event:
        return threading.Event()


THREADS = Threads()
"""What everybody works with who is no simulation."""
