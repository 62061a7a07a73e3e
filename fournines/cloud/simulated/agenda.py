"""
What will happen in the simulated cloud, and when: a heap of due actions, run lazily by whoever looks next.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

Action = Callable[[datetime], None]


class Agenda:
    """
    Actions in the order of their due moments; equal moments in the order of their booking.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Action]] = []
        self._number = itertools.count()

    def book(self, due: datetime, action: Action) -> None:
        """
        Have `action(due)` run once the present has reached `due`.
        """
        heapq.heappush(self._heap, (due, next(self._number), action))

    @property
    def next_due(self) -> datetime | None:
        """
        When something happens next; None when nothing will.
        """
        return self._heap[0][0] if self._heap else None

    def run_until(self, now: datetime) -> None:
        """
        Run all that is due. Actions may book further ones, which run too when they are due.
        """
        while self._heap and self._heap[0][0] <= now:
            due, _, action = heapq.heappop(self._heap)
            action(due)
