"""
What goes wrong in a simulation, drawn from its seed: members, hosts, images, the cloud's API, our eyes, the healers themselves.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from fournines.cloud.simulated import Behaviour, Fault, FaultKind
from fournines.model.case import Subject
from fournines.model.pause import Pause
from fournines.store.memory import MemoryStore
from tests.sim.city import City
from tests.sim.doors import Outage
from tests.sim.laws import Laws
from tests.sim.people import Person
from tests.sim.senses import Gauges
from tests.sim.town import PLATFORM, WatchedCloud, slot_of
from tests.sim.turns import TurnClock, Turns

MEMBER_FAULTS = (
    Behaviour.KILL,
    Behaviour.HANG,
    Behaviour.ERRORS,
    Behaviour.GREY_ERRORS,
    Behaviour.GREY_SLOW,
    Behaviour.CUT,
    Behaviour.FULL_DISK,
    Behaviour.MEMORY,
)
API_FAULTS = (
    FaultKind.FAIL_BEFORE,
    FaultKind.FAIL_AFTER,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.BUSY,
    FaultKind.STALE_READ,
)


class Chaos:
    """
    Breaks things. `counts` says what was broken, by kind.
    """

    def __init__(  # noqa: PLR0917  the whole world
        self,
        chance: random.Random,
        turns: Turns,
        cloud: WatchedCloud,
        store: MemoryStore,
        outage: Outage,
        gauges: Gauges,
        laws: Laws,
        city: City,
        person: Person,
    ) -> None:
        self._chance = chance
        self._turns = turns
        self._cloud = cloud
        self._store = store
        self._outage = outage
        self._person = person
        self._gauges = gauges
        self._laws = laws
        self._city = city
        self._clock = TurnClock(turns)
        self.counts: Counter[str] = Counter()
        self._kinds: tuple[tuple[int, str, Callable[[], str]], ...] = (
            (30, "member", self._member),
            (4, "vanish", self._vanish),
            (2, "host", self._host),
            (1, "zone", self._zone),
            (1, "image", self._image),
            (2, "lb", self._balancer),
            (3, "volume", self._volume),
            (6, "api", self._api),
            (2, "api-away", self._api_away),
            (2, "store-away", self._store_away),
            (1, "slow-boot", self._slow_boot),
            (2, "pause", self._pause),
            (2, "deploy", person.deploy),
            (2, "scale", person.scale),
            (1, "destroy", person.destroy),
            (3, "blind", self._blind),
            (2, "unmeasured", self._unmeasured),
            (6, "kill", self._kill),
            (5, "stop", self._stop),
            (2, "clock", self._set_clock),
            (3, "false-alarm", self._false_alarm),
            (1, "locked", self._lock),
        )

    def strike(self) -> None:
        """
        One thing goes wrong.
        """
        weights = [weight for weight, _, _ in self._kinds]
        _, kind, act = self._chance.choices(self._kinds, weights)[0]
        told = act()
        if told:
            self.counts[kind] += 1
            self._laws.trace.append(f"{self._turns.now:9.3f} chaos      {kind} {told}")

    def _victim(self, fits: Callable[[str], bool] = lambda _name: True) -> str | None:
        well = [
            record.name
            for record in self._cloud.world.instances.values()
            if record.status == "ACTIVE"
            and record.behaviour is Behaviour.SERVING
            and record.serves_at is not None
            and record.serves_at < self._clock.now()
            and fits(record.name)
        ]
        return self._chance.choice(well) if well else None

    def _member(self) -> str:
        victim = self._victim()
        if victim is None:
            return ""
        behaviour = self._chance.choice(MEMBER_FAULTS)
        sticky = self._chance.random() < 0.5
        self._cloud.break_instance(victim, behaviour, sticky=sticky)
        self._laws.sick_at[victim] = self._turns.now
        return f"{behaviour} {victim}"

    def _vanish(self) -> str:
        victim = self._victim()
        if victim is None:
            return ""
        self._cloud.vanish(victim)
        return victim

    def _host(self) -> str:
        up = [host.name for host in self._cloud.world.hosts if host.up]
        if len(up) < 4:
            return ""
        host = self._chance.choice(up)
        return f"{host}: {self._cloud.break_host(host)}"

    def _zone(self) -> str:
        zones = {host.zone for host in self._cloud.world.hosts if host.up}
        if len(zones) < 3:
            return ""
        zone = self._chance.choice(sorted(zones))
        return f"{zone}: {self._cloud.break_zone(zone)}"

    def _balancer(self) -> str:
        """
        A load balancer dies; now and then the cloud has given up failing it over by itself.
        """
        alive = [b for b in self._cloud.world.load_balancers.values() if not b.dead]
        if not alive:
            return ""
        name = self._chance.choice(alive).name
        self._cloud.silence_load_balancer(name)
        self._laws.dead_at[name] = self._turns.now
        stopped = self._chance.random() < 0.2
        if stopped:
            self._cloud.stop_failover(name)
        return f"{name}{', its failover is stopped' if stopped else ''}"

    def _volume(self) -> str:
        """
        A member dies whose volume does not let go of it for a while, or goes into error.
        """
        slots = self._cloud.world.volumes
        victim = self._victim(lambda name: slot_of(name) in slots)
        if victim is None:
            return ""
        volume = slot_of(victim)
        self._cloud.break_instance(victim, Behaviour.KILL, sticky=True)
        self._laws.sick_at[victim] = self._turns.now
        if self._chance.random() < 0.3:
            self._cloud.break_volume(volume)
            return f"{victim}: its volume is in error"
        until = self._clock.now() + timedelta(seconds=self._chance.uniform(5, 40))
        self._cloud.stick_volume(volume, until)
        return f"{victim}: its volume is stuck until {until:%H:%M:%S}"

    def _image(self) -> str:
        self._cloud.break_image("debian-12")
        return "debian-12"

    def _api(self) -> str:
        kind = self._chance.choice(API_FAULTS)
        ratio = self._chance.choice((0.05, 0.2, 0.5))
        until = self._clock.now() + timedelta(seconds=self._chance.uniform(2, 20))
        self._cloud.inject(Fault(kind, probability=ratio, until=until))
        return f"{kind} {ratio} until {until:%H:%M:%S}"

    def _api_away(self) -> str:
        until = self._clock.now() + timedelta(seconds=self._chance.uniform(5, 60))
        self._cloud.inject(Fault(FaultKind.FAIL_BEFORE, until=until))
        return f"until {until:%H:%M:%S}"

    def _store_away(self) -> str:
        """
        Every call of every healer to the store fails for a while; nobody can take anything over meanwhile.
        """
        self._outage.until = self._turns.now + self._chance.choice((0.3, 2.0, 8.0, 30))
        self._laws.disturbed()
        return f"until {self._outage.until:.1f}"

    def _slow_boot(self) -> str:
        seconds = self._chance.choice((0.0, 10.0, 60.0))
        self._cloud.slow_boots(seconds)
        return f"{seconds:.0f} s longer" if seconds else ""

    def _pause(self) -> str:
        """
        A person pauses a service, a slot or an instance, for a while or until it is lifted.
        """
        victim = self._victim()
        if victim is None:
            return ""
        service = victim.split("-")[1]
        slot = int(slot_of(victim).rpartition("-")[2])
        subject = self._chance.choice(
            (
                Subject(platform=PLATFORM, service=service),
                Subject(platform=PLATFORM, service=service, group="web", slot=slot),
                Subject(
                    platform=PLATFORM,
                    service=service,
                    group="web",
                    slot=slot,
                    instance=victim,
                ),
            )
        )
        now = self._clock.now()
        ends = self._chance.random() < 0.7
        until = now + timedelta(seconds=self._chance.uniform(5, 60)) if ends else None
        pause = Pause(subject=subject, by="a person", at=now, until=until)
        self._store.pauses.put(pause)
        return pause.sentence()

    def _blind(self) -> str:
        until = self._turns.now + self._chance.uniform(5, 40)
        everybody = self._chance.random() < 0.5
        healers = self._city.alive()
        for healer in healers if everybody else healers[:1]:
            healer.eyes.closed_until = until
        return f"until {until:.1f} {'all' if everybody else 'one'}"

    def _unmeasured(self) -> str:
        self._gauges.down_until = self._turns.now + self._chance.uniform(5, 40)
        return f"until {self._gauges.down_until:.1f}"

    def _kill(self) -> str:
        alive = self._city.alive()
        if not alive:
            return ""
        healer = self._chance.choice(alive)
        self._turns.kill(healer.process)
        return healer.process.name

    def _stop(self) -> str:
        alive = self._city.alive()
        if not alive:
            return ""
        process = self._chance.choice(alive).process
        seconds = self._chance.choice((1.0, 4.0, 10.0, 40.0))
        self._turns.stop(process, seconds)
        return f"{process.name} for {seconds} s"

    def _set_clock(self) -> str:
        alive = self._city.alive()
        if not alive:
            return ""
        process = self._chance.choice(alive).process
        process.clock_offset = self._chance.choice((-3600.0, 0.0, 3600.0))
        return f"{process.name} by {process.clock_offset:+.0f} s"

    def _false_alarm(self) -> str:
        victim = self._victim()
        if victim is None:
            return ""
        self._city.ring(victim, "false")
        return victim

    def _lock(self) -> str:
        victim = self._victim()
        if victim is None:
            return ""
        self._cloud.lock_instance(victim)
        return victim

    def end(self) -> None:
        """
        Nothing goes wrong any more; what is broken stays so until somebody heals it.
        """
        self._cloud.calm()
        self._cloud.world.bad_images.clear()
        self._cloud.slow_boots(0)
        self._outage.until = 0.0
        for pause in self._store.pauses.all():
            self._store.pauses.lift(pause.key)
        for host in self._cloud.world.hosts:
            host.up = True
        for balancer in self._cloud.world.load_balancers.values():
            balancer.failover_stopped = False
        for name, record in list(self._cloud.world.instances.items()):
            record.locked = False
            assert record.owner is None or name.startswith(PLATFORM)
        self._gauges.down_until = 0.0
        for healer in self._city.healers:
            healer.eyes.closed_until = 0.0
            healer.process.clock_offset = 0.0
            healer.process.stopped_until = 0.0
            healer.process.kill_ratio = healer.process.stop_ratio = 0.0
