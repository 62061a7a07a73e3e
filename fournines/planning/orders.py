"""
Orders that a plan leaves open, and how long it takes when several of its steps run at once. Pure.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from fournines.planning import graph
from fournines.planning.steps import (
    DeleteInstance,
    LeavePool,
    RestartInstance,
    SetWeight,
    Step,
)

_TAKING = (SetWeight, LeavePool, RestartInstance, DeleteInstance)

_Rank = Callable[[Step, int], int]
"""Of a step that may begin once so many are done: lower goes first."""


def worst(steps: Sequence[Step]) -> tuple[Step, ...]:
    """
    With whatever takes requests away as early as the plan allows.
    """
    return _by_rank(steps, lambda step, _arrived: not isinstance(step, _TAKING))


def chain_by_chain(steps: Sequence[Step]) -> tuple[Step, ...]:
    """
    Each step right after what it needs, so that nothing else passes between them and each takes its own time.
    """
    return _by_rank(steps, lambda _step, arrived: -arrived)


def _by_rank(steps: Sequence[Step], rank: _Rank) -> tuple[Step, ...]:
    """
    Of the steps that may begin, always the one of the lowest rank, then the one that the plan names first.

    Raises:
        PlanCyclic: There is no order.
    """
    place = {step.id: number for number, step in enumerate(graph.ordered(steps))}
    by_id = {step.id: step for step in steps}
    followers = graph.followers_of(steps)
    waiting = {step.id: len(set(step.needs)) for step in steps}
    ready = [
        (rank(step, 0), place[step.id], step.id)
        for step in steps
        if not waiting[step.id]
    ]
    heapq.heapify(ready)
    done: list[Step] = []
    while ready:
        _, _, current = heapq.heappop(ready)
        done.append(by_id[current])
        for name in followers.get(current, ()):
            waiting[name] -= 1
            if not waiting[name]:
                one = (rank(by_id[name], len(done)), place[name], name)
                heapq.heappush(ready, one)
    return tuple(done)


def seconds(steps: Sequence[Step], took: Mapping[str, float], *, hands: int) -> float:
    """
    From the first step's beginning to the last one's end, with so many steps at once. Steps that took no time are taken as done at once.
    """
    followers = graph.followers_of(steps)
    waiting = {step.id: len(set(step.needs)) for step in steps}
    ready = deque(step.id for step in graph.ordered(steps) if not waiting[step.id])
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < hands:
            name = ready.popleft()
            heapq.heappush(running, (now + took.get(name, 0.0), name))
        now, ended = heapq.heappop(running)
        for name in followers.get(ended, ()):
            waiting[name] -= 1
            if not waiting[name]:
                ready.append(name)
    return now
