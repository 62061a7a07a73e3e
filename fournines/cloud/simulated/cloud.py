"""
The simulated cloud: all of the `Cloud` Protocol in memory, and the levers that break it.

It is driven by a clock: with a `VirtualClock` a day passes in a second, with the machine's clock it takes its time. Its speed,
faults and chance come from one `Scenario` and one seed. It answers, too, what a user or a probe would see, so that alerts,
metrics and probes of a story follow from one state and cannot contradict each other.

It knows nothing of platforms, plans or healing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from pydantic import JsonValue

from fournines.clock import Clock, SystemClock
from fournines.cloud.errors import CloudError, CloudUnreachable
from fournines.cloud.protocol import SERVICES
from fournines.cloud.simulated import (
    closely as close_look,
)
from fournines.cloud.simulated import health, instances, planting, reading, traffic
from fournines.cloud.simulated.balancers import Balancers
from fournines.cloud.simulated.door import Moment
from fournines.cloud.simulated.faults import Fault, FaultKind
from fournines.cloud.simulated.hardships import Hardships
from fournines.cloud.simulated.images import Images
from fournines.cloud.simulated.instances import Instances
from fournines.cloud.simulated.object_keys import ObjectKeys
from fournines.cloud.simulated.records import Behaviour, InstanceRecord
from fournines.cloud.simulated.scenario import InconsistentScenario, Scenario
from fournines.cloud.simulated.shared import Shared
from fournines.cloud.simulated.suffering import hardship
from fournines.crew import THREADS, Crew
from fournines.model.inventory import Inventory, Quota
from fournines.model.specification import InstanceSpec

STALE = timedelta(seconds=10)
"""A replica lags behind by so much at the most."""


class SimulatedCloud(Instances, Balancers, Shared, Images, ObjectKeys, Hardships):
    """
    A cloud in memory. Thread-safe.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        clock: Clock | None = None,
        crew: Crew = THREADS,
    ) -> None:
        super().__init__(scenario or Scenario(), clock or SystemClock(), crew)
        self._last_read: dict[tuple[str, str | None, bool], Inventory] = {}

    # -- reading

    def inventory(
        self, platform: str, service: str | None = None, *, closely: bool = False
    ) -> Inventory:
        def act(moment: Moment) -> Inventory:
            key = (platform, service, closely)
            stale = moment.fault and moment.fault.kind is FaultKind.STALE_READ
            before = self._last_read.get(key)
            if stale and before and moment.now - before.at < STALE:
                return before.model_copy(update={"at": moment.now})
            fresh = reading.inventory(self.world, platform, service, moment.now)
            if closely:
                fresh = close_look.with_traits(self.world, fresh)
            self._last_read[key] = fresh
            return fresh

        return self.call("inventory", service or platform, act)

    def serving(self, platform: str, service: str) -> Inventory:
        return reading.serving(self.inventory(platform, service))

    def quota(self) -> Quota:
        return self.call("quota", "", lambda _: self.world.left())

    def unanswered(self, services: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in services if not self._answers(name))

    def _answers(self, service: str) -> bool:
        try:
            self.call("unanswered", service, lambda _: None)
        except CloudUnreachable:
            return False
        except CloudError:
            return True
        return service not in self.world.away

    # -- what users and probes see; no API call, so no API fault

    def probe(
        self, instance: str, *, health_path: bool = False, timeout_seconds: float = 0.8
    ) -> health.Answer:
        """
        One request to an instance from outside: over what users use, or over its health page.
        """
        with self._lock:
            now = self.settle()
            record = self.world.instances.get(instance)
            return health.ask(
                record,
                now,
                health_path=health_path,
                timeout_seconds=timeout_seconds,
                hardship=hardship(self.world, record, now),
            )

    def traffic(self, load_balancer: str, pool: str) -> traffic.PoolTraffic:
        """
        What users get through a pool now, and how it spreads over its members.
        """
        with self._lock:
            now = self.settle()
            return traffic.through(self.world, load_balancer, pool, now)

    # -- levers

    def inject(self, fault: Fault) -> None:
        """
        Have calls go wrong.
        """
        self.world.faults.add(fault)

    def calm(self) -> None:
        """
        Have no call go wrong any more.
        """
        self.world.faults.clear()

    def take_away(self, service: str) -> None:
        """
        One of the cloud's own services dies. With Keystone away what has a token goes on, and every build ends in ERROR.
        """
        if service not in SERVICES:
            raise InconsistentScenario(f"there is no service {service}")
        self.world.away.add(service)

    def give_back(self, service: str) -> None:
        """
        It answers again.
        """
        self.world.away.discard(service)

    def break_instance(
        self, instance: str, behaviour: Behaviour, *, sticky: bool = False
    ) -> None:
        """
        Make an instance fail; a sticky failure survives restarts.
        """
        with self._lock:
            now = self.settle()
            record = self._existing(instance)
            if record.status != "ACTIVE":
                raise InconsistentScenario(f"{instance} is {record.status}, not ACTIVE")
            record.sticky = sticky
            if behaviour is Behaviour.KILL:
                instances.die(self.world, record, now)
            else:
                record.behaviour = behaviour
            health.changed(self.world, instance, now)

    def mend(self, instance: str) -> None:
        """
        Let an instance serve again (one that was killed needs a restart).
        """
        with self._lock:
            now = self.settle()
            record = self._existing(instance)
            if record.behaviour is Behaviour.KILL:
                raise InconsistentScenario(f"{instance} is dead; restart it")
            record.behaviour, record.sticky = Behaviour.SERVING, False
            health.changed(self.world, instance, now)

    def vanish(self, instance: str) -> None:
        """
        Somebody deletes an instance behind our back.
        """
        with self._lock:
            now = self.settle()
            instances.vanish(self.world, self._existing(instance), now)

    def break_host(self, host: str) -> tuple[str, ...]:
        """
        A hypervisor dies with all its instances; returns their names.
        """
        with self._lock:
            now = self.settle()
            found = next((h for h in self.world.hosts if h.name == host), None)
            if found is None:
                raise InconsistentScenario(f"there is no host {host}")
            found.up = False
            dead = tuple(sorted(found.instances))
            for name in dead:
                instances.die(self.world, self.world.instances[name], now)
                health.changed(self.world, name, now)
            return dead

    def break_zone(self, zone: str) -> tuple[str, ...]:
        """
        All hosts of a zone die; returns the names of the instances lost.
        """
        if zone not in self.scenario.zones:
            raise InconsistentScenario(f"there is no zone {zone}")
        hosts = [host.name for host in self.world.hosts if host.zone == zone]
        return tuple(name for host in hosts for name in self.break_host(host))

    def break_image(self, image: str) -> None:
        """
        New instances of this image start and never serve.
        """
        if image not in self.world.images:
            raise InconsistentScenario(f"there is no image {image}")
        with self._lock:
            self.world.bad_images.add(image)

    def give_voice(self, voice: Callable[[InstanceSpec], Sequence[str]]) -> None:
        """
        What instances say on their consoles from now on, when they boot.
        """
        with self._lock:
            self.world.voice = voice

    def slow_boots(self, seconds: float) -> None:
        """
        From now on instances take so much longer to boot; 0 as ever.
        """
        if seconds < 0:
            raise InconsistentScenario("nothing boots before it began")
        with self._lock:
            self.world.slow_boot_seconds = seconds

    def break_load_balancer(self, name: str) -> None:
        """
        A load balancer's provisioning goes to ERROR; it goes on balancing.
        """
        with self._lock:
            self.settle()
            record = self.world.load_balancers.get(name)
            if record is None:
                raise InconsistentScenario(f"there is no load balancer {name}")
            record.status = "ERROR"

    def lock_instance(self, instance: str, *, locked: bool = True) -> None:
        """
        Somebody locks an instance, or unlocks it.
        """
        with self._lock:
            self._existing(instance).locked = locked

    def tamper(self, name: str, **changes: JsonValue) -> None:
        """
        Somebody sets a listener, a pool or a security group of ours otherwise (fournines.model.traits).
        """
        with self._lock:
            self.settle()
            close_look.tamper(self.world, name, changes)

    def plant(self, kind: str, name: str) -> None:
        """
        Put a resource there that is not ours, under any name.
        """
        with self._lock:
            planting.plant(self.world, kind, name, self.settle())

    def _existing(self, instance: str) -> InstanceRecord:
        record = self.world.instances.get(instance)
        if record is None:
            raise InconsistentScenario(f"there is no instance {instance}")
        return record
