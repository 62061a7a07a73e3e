"""
A plan as a graph: waves, ancestors and the critical path.

Ancestor sets are integers used as bit sets, so that a plan of 10,000 steps is judged in about a second.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fournines.planning import costs
from fournines.planning.steps import Step


class PlanCyclic(ValueError):
    """
    Steps wait for each other, or for a step that is not in the plan.
    """


def ordered(steps: Sequence[Step]) -> tuple[Step, ...]:
    """
    The steps in an order in which each comes after what it needs; otherwise in the order given.

    Raises:
        PlanCyclic: There is no such order.
    """
    by_id = {step.id: step for step in steps}
    waiting = {step.id: len(set(step.needs)) for step in steps}
    followers = followers_of(steps)
    ready = deque(step.id for step in steps if not waiting[step.id])
    done: list[Step] = []
    while ready:
        current = ready.popleft()
        done.append(by_id[current])
        for follower in followers.get(current, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    if len(done) < len(steps):
        stuck = sorted(set(by_id) - {step.id for step in done})
        raise PlanCyclic(f"steps that can never begin: {', '.join(stuck[:5])}")
    return tuple(done)


def followers_of(steps: Sequence[Step]) -> dict[str, list[str]]:
    """
    For each step's id, the ids of the steps that need it.
    """
    followers: dict[str, list[str]] = {}
    for step in steps:
        for need in set(step.needs):
            followers.setdefault(need, []).append(step.id)
    return followers


def waves(steps: Sequence[Step]) -> tuple[tuple[Step, ...], ...]:
    """
    Steps that may run at the same time, wave after wave. Raises PlanCyclic.
    """
    level: dict[str, int] = {}
    rows: list[list[Step]] = []
    for step in ordered(steps):
        level[step.id] = 1 + max((level[need] for need in step.needs), default=-1)
        if level[step.id] == len(rows):
            rows.append([])
        rows[level[step.id]].append(step)
    return tuple(tuple(row) for row in rows)


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """
    The chain of steps that decides how long the plan takes.
    """

    seconds: float
    step_ids: tuple[str, ...]


def critical_path(
    steps: Sequence[Step],
    seconds_of: Callable[[Step], float] = costs.expected_seconds,
) -> CriticalPath:
    """
    The longest chain by the seconds that steps take, were every step free to run. Raises PlanCyclic.
    """
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for step in ordered(steps):
        slowest = max(step.needs, key=ends.__getitem__, default=None)
        before[step.id] = slowest
        ends[step.id] = seconds_of(step) + (ends[slowest] if slowest else 0.0)
    if not ends:
        return CriticalPath(0.0, ())
    last: str | None = max(ends, key=ends.__getitem__)
    seconds = ends[last] if last else 0.0
    chain: list[str] = []
    while last is not None:
        chain.append(last)
        last = before[last]
    return CriticalPath(seconds, tuple(reversed(chain)))


class Ancestry:
    """
    Which steps certainly ran before a step.

    Bits are numbered within each island of steps that have anything to do with each other, which keeps the sets short: a roll of
    many services has an island for each.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._island = _islands(steps)
        self._bit: dict[str, int] = {}
        self._before: dict[str, int] = {}
        size: Counter[str] = Counter()
        for step in ordered(steps):
            island = self._island[step.id]
            self._bit[step.id] = 1 << size[island]
            size[island] += 1
            mask = 0
            for need in step.needs:
                mask |= self._before[need] | self._bit[need]
            self._before[step.id] = mask

    def island(self, step_id: str) -> str:
        """
        The id of a step that stands for all that this one has anything to do with.
        """
        return self._island[step_id]

    def bit(self, step_id: str) -> int:
        """
        The step's own bit, within its island.
        """
        return self._bit[step_id]

    def before(self, step_id: str) -> int:
        """
        The bits of all steps that must be done before this one, within its island.
        """
        return self._before[step_id]

    def precedes(self, first: str, second: str) -> bool:
        """
        Whether `first` must be done before `second` begins.
        """
        if self._island[first] != self._island[second]:
            return False
        return bool(self._before[second] & self._bit[first])


def _islands(steps: Sequence[Step]) -> dict[str, str]:
    """
    For each step, the one that stands for its island.
    """
    parent = {step.id: step.id for step in steps}

    def root(step_id: str) -> str:
        while parent[step_id] != step_id:
            parent[step_id] = parent[parent[step_id]]
            step_id = parent[step_id]
        return step_id

    for step in steps:
        for need in step.needs:
            if need in parent:
                parent[root(need)] = root(step.id)
    return {step.id: root(step.id) for step in steps}
