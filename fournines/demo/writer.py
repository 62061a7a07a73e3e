"""
A user that writes words on a rhythm and remembers which were acknowledged, and when.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from fournines.demo.words import FAILURES, Words

RHYTHM_SECONDS = 0.25
"""Four words a second, a connection each: TLS for all three services is a tenth of a core, which the services need themselves."""


@dataclass(slots=True)
class Writer:
    """
    Writes from `with` to its end. Moments are epoch seconds; `name` makes words of different runs differ.
    """

    words: Words
    name: str
    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    failed: list[tuple[float, str]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name=f"writer of {self.name}")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def since(self, moment: float) -> tuple[int, int]:
        """
        How many were acknowledged and how many failed since then.
        """
        return (
            sum(at >= moment for at, _ in self.acknowledged[-1_000:]),
            sum(at >= moment for at, _ in self.failed[-1_000:]),
        )

    def said(self) -> set[str]:
        """
        What was acknowledged so far.
        """
        return {word for _, word in list(self.acknowledged)}

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.wait(RHYTHM_SECONDS):
                return
            word = f"{self.name}-{number}"
            try:
                self.words.write(word)
            except FAILURES as error:
                self.failed.append((time.time(), str(error)))
            else:
                self.acknowledged.append((time.time(), word))


def longest_wait(moments: Collection[float], begin: float, end: float) -> float:
    """
    The longest time in a span in which nothing was acknowledged, in seconds. Pure.
    """
    within = sorted(at for at in moments if begin <= at <= end)
    edges = [begin, *within, end]
    return max(after - before for before, after in itertools.pairwise(edges))
