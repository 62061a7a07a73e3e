"""
One seed, played: a platform is deployed, everything goes wrong for a while, then nothing more does, and all must be well again.
"""

from __future__ import annotations

import contextlib
import random
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from blueprints import lifecycles
from fournines.cloud.errors import CloudError
from fournines.cloud.simulated import Behaviour, Scenario
from fournines.model.case import CaseState
from fournines.model.desired import Platform
from fournines.store.memory import MemoryStore
from tasks import deployment
from tasks.operators.simulated import SimulatedOperator
from tasks.workshop import Workshop
from tests.sim import remains
from tests.sim.chaos import Chaos
from tests.sim.city import City
from tests.sim.doors import Outage
from tests.sim.healers import SETTINGS, SimHealer
from tests.sim.helpers import TurnCrew
from tests.sim.laws import LawBroken, Laws
from tests.sim.people import Person
from tests.sim.senses import Eyes, Gauges
from tests.sim.town import PLATFORM, WatchedCloud, a_platform, a_scenario, slots
from tests.sim.turns import Process, TurnClock, Turns

SAFETY_SECONDS = 120.0
RECOVERY_SECONDS = 3_600.0
STRIKE_SECONDS = (2.0, 5.0, 12.0)
"""From one thing that goes wrong to the next, on average; each world has its own."""

PERSON_SECONDS = 20.0
"""How soon a person looks after what healing has given up."""


Mutate = Callable[[SimHealer, WatchedCloud], None]
"""Spoils a healer on purpose, to see that a law notices."""


def unchanged(_healer: SimHealer, _cloud: WatchedCloud) -> None:
    """
    A sound healer.
    """


@dataclass(frozen=True, slots=True)
class Report:
    """
    What became of a seed. `broken` is empty when every law held; `again` is the command that plays it once more.
    """

    seed: int
    broken: str
    trace: tuple[str, ...]
    struck: Counter[str]
    did: Counter[str]
    mail: Counter[str]
    takeovers: tuple[float, ...]
    seconds: float
    again: str

    @property
    def cases(self) -> int:
        """
        Cases that were closed.
        """
        return sum(n for what, n in self.did.items() if what.startswith("case "))

    def story(self) -> str:
        """
        For people: the law, the end of the trace, and how to see it again.
        """
        lines = "\n".join(self.trace[-60:])
        return f"{lines}\nseed {self.seed}: {self.broken}\nagain: {self.again}"


@dataclass
class Simulation:
    """
    The world of one seed.
    """

    seed: int
    mutate: Mutate = unchanged
    healers: int | None = None
    chance: random.Random = field(init=False)
    turns: Turns = field(init=False)
    cloud: WatchedCloud = field(init=False)
    store: MemoryStore = field(init=False)
    laws: Laws = field(init=False)
    city: City = field(init=False)
    chaos: Chaos = field(init=False)
    gauges: Gauges = field(init=False)
    workshop: Workshop = field(init=False)
    person: Person = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.turns = Turns(self.seed)
        clock = TurnClock(self.turns)
        self.outage = Outage()
        outside = Process("outside")
        crew = TurnCrew(self.turns, outside)
        self.cloud = WatchedCloud(self.a_scenario(), clock, crew)
        self.cloud.teller = lambda: (
            self.turns.current.name if self.turns.current else ""
        )
        self.store = MemoryStore(clock)
        self.platform = self.a_platform()
        self.operator = SimulatedOperator(self.cloud, clock)
        self.gauges = self.measures(clock)
        self.laws = Laws(self.turns, self.cloud, self.store, self.platform)
        self.laws.errors_at = self.gauges.errors_at
        self.turns.on_kill = self.laws.died
        self.turns.on_stop = self.laws.disturbed
        self.laws.someone_lives = lambda: (
            self.turns.now > self.outage.until
            and any(
                healer.process.stopped_until <= self.turns.now
                for healer in self.city.alive()
            )
        )
        drawn = self.chance.choice((1, 2, 2, 3))
        self.strike_seconds = self.chance.choice(STRIKE_SECONDS)
        self.kill_ratio = self.chance.choice((0.0, 0.0, 0.0005, 0.002))
        self.stop_ratio = self.chance.choice((0.0, 0.0, 0.0005))
        self.city = City(
            self.chance, self.turns, self.cloud, self.hire, self.healers or drawn
        )
        self.city.on_look = self.laws.seen.look
        self.workshop = Workshop(
            cloud=self.cloud,
            store=self.store,
            clock=clock,
            prober=Eyes(self.cloud, self.turns, clock),
            settings=SETTINGS,
            crew=crew,
            holder=lambda: "outside run 0",
            operators={lifecycles.QUORUM: lambda _workshop: self.operator},
        )
        self.person = Person(self.chance, self.turns, self.workshop, self.laws)
        self.chaos = Chaos(
            self.chance,
            self.turns,
            self.cloud,
            self.store,
            self.outage,
            self.gauges,
            self.laws,
            self.city,
            self.person,
        )
        self.outside = outside

    def a_scenario(self) -> Scenario:
        """
        The cloud's ways.
        """
        return a_scenario(self.chance)

    def a_platform(self) -> Platform:
        """
        What is deployed on it.
        """
        return a_platform(self.chance, with_data=True)

    def measures(self, clock: TurnClock) -> Gauges:
        """
        What healers measure.
        """
        return Gauges(self.cloud, self.turns, clock)

    def hire(self, name: str) -> SimHealer:
        """
        A new healer's process.
        """
        healer = SimHealer(
            name,
            self.turns,
            self.cloud,
            self.store,
            self.gauges,
            self.laws.committed,
            self.outage,
            self.operator,
        )
        if not self.city.quiet:
            healer.process.kill_ratio = self.kill_ratio
            healer.process.stop_ratio = self.stop_ratio
        self.laws.bad.append(healer.eyes)
        self.mutate(healer, self.cloud)
        return healer

    def play(self) -> Report:
        """
        All of it.
        """
        try:
            self._do(self._deploy, 600)
            self._do(self._rage, SAFETY_SECONDS + 60)
            if not self.turns.broken:
                self.chaos.end()
                self.city.quiet = True
                self._do(self._recover, RECOVERY_SECONDS)
                self._check_end()
        except Exception as error:  # noqa: BLE001  a report says it
            self.turns.broken.append(error)
        return self.report()

    def close(self) -> None:
        """
        The world ends. Its parts know each other in circles: taken apart, they need no collector.
        """
        self.turns.close()
        for part in (*self.city.healers, self.city, self.chaos, self.laws, self.cloud):
            vars(part).clear()
        vars(self).clear()

    def report(self) -> Report:
        """
        What became of it so far.
        """
        return Report(
            seed=self.seed,
            broken=_told(self.turns.broken),
            trace=tuple(self.laws.trace),
            struck=self.chaos.counts,
            did=self.laws.counts,
            mail=self.city.mail,
            takeovers=tuple(self.laws.takeovers),
            seconds=self.turns.now,
            again=self.again(),
        )

    def again(self) -> str:
        """
        How a person plays this seed once more.
        """
        return f"make sim SEED={self.seed}"

    def _do(self, act: Callable[[], None], seconds: float) -> None:
        def to_the_end() -> None:
            act()
            self.turns.enough = True

        self.turns.spawn(act.__name__, self.outside, to_the_end)
        self.turns.run(seconds)

    def _deploy(self) -> None:
        result = deployment.deploy(self.workshop, self.platform)
        assert result.ok, result.sentence()
        self.turns.sleep(30)
        self.cloud.plant("instance", "somebodys-shop-web-0-g1")
        self.cloud.plant("volume", "somebodys-data")
        self.cloud.watch = self.laws

    def _rage(self) -> None:
        self.city.open()
        end = self.turns.now + SAFETY_SECONDS
        while True:
            pause = self.chance.expovariate(1 / self.strike_seconds)
            self.turns.sleep(min(pause, end - self.turns.now))
            if self.turns.now >= end:
                return
            self.chaos.strike()

    # -- recovery

    def _recover(self) -> None:
        looked_after = self.turns.now
        while not self._is_well():
            self.turns.sleep(2.0)
            if self.turns.now - looked_after > PERSON_SECONDS:
                looked_after = self.turns.now
                self._look_after()

    def _look_after(self) -> None:
        """
        A person was called, and mends what healing has given up; and finishes what was begun beside healing.
        """
        self.person.finish()
        for balancer in self.cloud.world.load_balancers.values():
            balancer.dead = False
        for volume in self.cloud.world.volumes.values():
            if volume.status == "error":
                self.cloud.reset_volume(volume.name)
        for known in self.store.quarantines.all():
            # The image was mended when the faults ended.
            self.store.quarantines.release(known.key)
        for case in self.store.cases.cases(limit=1_000):
            name = case.subject.instance or ""
            record = self.cloud.world.instances.get(name)
            if case.state not in {CaseState.PAGED, CaseState.REFUSED} or record is None:
                continue
            if self.store.cases.open_for(case.subject.key) is not None:
                continue
            if record.behaviour is Behaviour.KILL and record.status != "REBOOT":
                record.sticky = False
                with contextlib.suppress(CloudError):
                    # Somebody may be deleting it, and then it is nobody's any more.
                    self.cloud.restart_instance(name, deadline_seconds=60)
            elif record.behaviour is not Behaviour.SERVING:
                self.cloud.mend(name)

    def _is_well(self) -> bool:
        if self.store.cases.cases(open_only=True) or self.store.journal.unfinished():
            return False
        if self._complaints() or self._misregistered():
            return False
        if self.person.unfinished:
            return False
        return deployment.plan(self.workshop, self.person.asked())[0].empty

    def _complaints(self) -> list[str]:
        found = []
        members = {
            member.instance: member
            for balancer in self.cloud.world.load_balancers.values()
            for pool in balancer.pools.values()
            for member in pool.members.values()
        }
        ours = [i for i in self.cloud.world.instances.values() if i.owner]
        for slot in slots(self.person.asked()):
            here = [i.name for i in ours if i.name.rpartition("-g")[0] == slot]
            if len(here) != 1:
                found.append(f"{slot} is held by {here}")
                continue
            member = members.pop(here[0], None)
            if member is None or member.weight == 0 or not member.up:
                found.append(f"{here[0]} is left out")
            elif not self.laws.is_well(here[0]):
                found.append(f"{here[0]} does not serve")
        found += [f"{name} is a member without an instance" for name in members]
        return found + remains.complaints(
            self.workshop, self.cloud, self.person.asked()
        )

    def _misregistered(self) -> list[str]:
        made = {
            name
            for kind, name, _ in self.store.registry.resources(PLATFORM)
            if kind == "instance"
        }
        here = {i.name for i in self.cloud.world.instances.values() if i.owner}
        return sorted(made ^ here)

    def _check_end(self) -> None:
        if self.turns.broken:
            return
        complaints = self._complaints()
        complaints += [
            f"the registry is wrong about {n}" for n in self._misregistered()
        ]
        complaints += [
            f"case {case.subject.key} is open: {case.state}"
            for case in self.store.cases.cases(open_only=True)
        ]
        complaints += [
            f"plan {plan.id} is left open" for plan in self.store.journal.unfinished()
        ]
        strangers = {
            r.name
            for kind in (self.cloud.world.instances, self.cloud.world.volumes)
            for r in kind.values()
            if r.owner is None
        }
        if len(strangers) != 2:
            complaints.append(f"of the strangers only {sorted(strangers)} are left")
        if complaints:
            self.turns.broken.append(LawBroken("; ".join(complaints)))


def _told(broken: list[BaseException]) -> str:
    if not broken:
        return ""
    first = broken[0]
    if isinstance(first, LawBroken):
        return str(first)
    return "".join(traceback.format_exception(first))


def play(seed: int, mutate: Mutate = unchanged) -> Report:
    """
    Play a seed.
    """
    world = Simulation(seed, mutate)
    try:
        return world.play()
    finally:
        world.close()
