"""
`Crew` of the simulation: executors, locks and events whose tasks take turns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from fournines.crew import Event
from tests.sim.turns import Process, Task, Turns

T = TypeVar("T")


class TurnFuture(Future[Any]):
    """
    A future whose result is waited for by giving the turn away. One thread needs no condition, and most of them are done when they are asked.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._done = self._cancelled = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[Any]], object]] = []

    def done(self) -> bool:
        """
        Whether the result is there.
        """
        return self._done

    def cancelled(self) -> bool:
        """
        Whether it will never begin.
        """
        return self._cancelled

    def cancel(self) -> bool:
        """
        Have it never begin. Only asked of what waits in a queue.
        """
        self._cancelled = True
        self._end()
        return True

    def result(self, timeout: float | None = None) -> Any:
        """
        The result, when it is there.
        """
        if not self._done:
            _await(self._turns, self)
        if self._cancelled:
            raise CancelledError
        if self._error is not None:
            raise self._error
        return self._value

    def set_result(self, result: Any) -> None:
        """
        Here it is.
        """
        self._value = result
        self._end()

    def set_exception(self, exception: BaseException | None) -> None:
        """
        There is none.
        """
        self._error = exception
        self._end()

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        """
        Tell, now or when it is there.
        """
        if self._done:
            fn(self)
        else:
            self._callbacks.append(fn)

    def _end(self) -> None:
        self._done = True
        callbacks, self._callbacks = self._callbacks, []
        for tell in callbacks:
            tell(self)


Work = tuple[TurnFuture, Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def _await(turns: Turns, future: Future[Any]) -> None:
    task = turns.current
    if future.done() or task is None:
        return
    future.add_done_callback(lambda _: turns.wake(task))
    while not future.done():
        turns.wait()


class TurnExecutor(Executor):
    """
    So many tasks of one process.
    """

    def __init__(self, turns: Turns, process: Process, count: int, name: str) -> None:
        self._turns = turns
        self._process = process
        self._free = count
        self._name = name
        self._queue: deque[Work] = deque()
        self._running: dict[TurnFuture, None] = {}

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        """
        Results in the order of what was asked.
        """
        futures = [self.submit(fn, *args) for args in zip(*iterables, strict=False)]
        return (future.result() for future in futures)

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """
        Begin it, now if there is a free hand.
        """
        future = TurnFuture(self._turns)
        self._running[future] = None
        work = (future, fn, args, kwargs)
        if self._free:
            self._free -= 1
            self._turns.spawn(
                self._name, self._process, lambda: self._work(work), at_once=True
            )
        else:
            self._queue.append(work)
        return future

    def _work(self, work: Work | None) -> None:
        while work is not None:
            future, act, args, kwargs = work
            if not future.cancelled():
                try:
                    result = act(*args, **kwargs)
                except BaseException as error:  # noqa: BLE001  whoever waits gets it
                    future.set_exception(error)
                else:
                    future.set_result(result)
                self._running.pop(future, None)
            work = self._queue.popleft() if self._queue else None
        self._free += 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  as the base class
        """
        Begin nothing more.
        """
        if cancel_futures:
            for future, *_ in self._queue:
                future.cancel()
        if wait and not self._process.dead:
            for future in list(self._running):
                _await(self._turns, future)


class TurnLock:
    """
    A lock among tasks, that its holder may take again.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._holder: Task | None = None
        self._depth = 0
        self._waiting: list[Task] = []

    def __enter__(self) -> None:
        task = self._turns.current
        while (holder := self._holder) is not None and holder is not task:
            assert task is not None
            self._waiting.append(task)
            self._turns.wait()
        self._holder = task
        self._depth += 1

    def __exit__(self, *_error: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._holder = None
            waiting, self._waiting = self._waiting, []
            for task in waiting:
                self._turns.wake(task)


class TurnEvent:
    """
    `Event` among tasks.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._is_set = False
        self._waiting: list[Task] = []

    def set(self) -> None:
        """
        It happened.
        """
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._turns.wake(task)

    def clear(self) -> None:
        """
        It is over.
        """
        self._is_set = False

    def is_set(self) -> bool:
        """
        Whether it happened.
        """
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        """
        Wait for it.
        """
        task = self._turns.current
        end = None if timeout is None else self._turns.now + timeout
        while not self._is_set and task is not None:
            left = None if end is None else end - self._turns.now
            if left is not None and left <= 0:
                break
            if task not in self._waiting:
                self._waiting.append(task)
            self._turns.wait(left)
        return self._is_set


class TurnCrew:
    """
    `Crew` of one process.
    """

    def __init__(self, turns: Turns, process: Process) -> None:
        self._turns = turns
        self._process = process

    def hands(self, count: int, name: str) -> Executor:
        """
        So many tasks.
        """
        return TurnExecutor(self._turns, self._process, count, name)

    def beside(
        self, name: str, act: Callable[[], object], *, after_seconds: float = 0
    ) -> None:
        """
        A task of its own.
        """
        self._turns.spawn(name, self._process, act, after_seconds=after_seconds)

    def first_done(self, futures: Collection[Future[T]]) -> Collection[Future[T]]:
        """
        Those that are done, in their order; at least one.
        """
        task = self._turns.current
        assert task is not None
        done = [future for future in futures if future.done()]
        if not done:
            for future in futures:
                future.add_done_callback(lambda _: self._turns.wake(task))
            while not done:
                self._turns.wait()
                done = [future for future in futures if future.done()]
        return done

    def lock(self) -> AbstractContextManager[object]:
        """
        A lock.
        """
        return TurnLock(self._turns)

    def event(self) -> Event:
        """
        An event.
        """
        return TurnEvent(self._turns)
