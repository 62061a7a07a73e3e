"""
One fault after the other in a quiet world, each healed before the next: what a kill at a chosen moment, or a faulty API, does to a healing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fournines.cloud.errors import CloudError
from fournines.cloud.simulated import Behaviour
from fournines.model.case import Case
from fournines.model.desired import Platform
from tests.sim.simulation import Report, Simulation
from tests.sim.town import a_platform

HEALING_SECONDS = 1_200.0
"""A healing whose every call waits half a minute for its answer, more than once."""

KINDS: tuple[str, ...] = (
    "kill",
    "hang",
    "errors",
    "grey-errors",
    "grey-slow",
    "vanish",
    "false-alarm",
)


@dataclass(frozen=True, slots=True)
class Ordeal:
    """
    What became of some healings. `calls` are those that healing made, its watch and its timer aside.
    """

    report: Report
    cases: tuple[Case, ...]
    effects: int
    calls: int


def unspoiled(_world: Simulation) -> None:
    """
    Nothing else is wrong.
    """


class Healings(Simulation):
    """
    A world with two healers in which only these faults happen.
    """

    _suffered: str = ""

    def a_platform(self) -> Platform:
        """
        Services without data: their members may be replaced at any moment.
        """
        return a_platform(self.chance, with_data=False)

    def suffer(
        self,
        kinds: Iterable[str],
        *,
        doom: int | None = None,
        prepare: Callable[[Simulation], None] = unspoiled,
    ) -> Ordeal:
        """
        Break one member after the other; a healer dies at its `doom`th effect.
        """
        kinds = tuple(kinds)
        self._suffered = f"suffer({kinds}, doom={doom}, prepare={prepare.__name__})"
        effects = calls = 0
        try:
            self.city.quiet = True
            self._do(self._deploy, 600)
            self._do(self._settle, 60)
            effects, self.cloud.healing_calls = self.turns.effects, 0
            self.turns.doom = None if doom is None else effects + doom
            prepare(self)
            for number, kind in enumerate(kinds):
                self._break(kind, number)
                self._do(self._until_well, HEALING_SECONDS)
            effects, calls = self.turns.effects - effects, self.cloud.healing_calls
            self._check_end()
        except Exception as error:  # noqa: BLE001  the report says it
            self.turns.broken.append(error)
        return Ordeal(self.report(), self.store.cases.cases(), effects, calls)

    def again(self) -> str:
        """
        No seed of `make sim`: the same world, suffering the same.
        """
        return f"Healings({self.seed}, healers={self.healers}).{self._suffered}"

    def _settle(self) -> None:
        self.city.open()
        self.turns.sleep(9)

    def _break(self, kind: str, number: int) -> None:
        members = sorted(i.name for i in self.cloud.world.instances.values() if i.owner)
        slots = sorted({name.rpartition("-g")[0] for name in members})
        slot = slots[number % len(slots)]
        victim = next(n for n in members if n.rpartition("-g")[0] == slot)
        if kind == "vanish":
            self.cloud.vanish(victim)
        elif kind == "false-alarm":
            self.city.ring(victim, "false")
        else:
            self.cloud.break_instance(victim, Behaviour(kind), sticky=True)
        self.laws.sick_at[victim] = self.turns.now
        self.laws.trace.append(f"{self.turns.now:9.3f} fault      {kind} {victim}")

    def _until_well(self) -> None:
        self.turns.sleep(4.0)
        while not self._looks_well():
            self.turns.sleep(1.0)

    def _looks_well(self) -> bool:
        """
        The onlooker asks the same API; without an answer he looks again.
        """
        try:
            return self._is_well()
        except CloudError:
            return False
