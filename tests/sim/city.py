"""
The people and machines around the healers: who starts them again, and the Alertmanager that loses, doubles and reorders its messages.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from fournines.cloud.simulated import Behaviour, health
from fournines.store.protocol import AlertRecord
from tests.sim.healers import SimHealer
from tests.sim.town import PLATFORM, WatchedCloud, slot_of
from tests.sim.turns import Process, TurnClock, Turns

NOTICE_SECONDS = 1.0
"""From a fault to its alert, and from look to look."""

SOUND = ("ACTIVE", Behaviour.SERVING)
"""Most instances, most of the time: asking them takes time and tells nothing."""

FRONT = "front"
"""The kind of an alert that users do not get through a load balancer; it names no member."""

REPEAT_SECONDS = 20.0
"""An alert that fires on is sent again."""


class City:
    """
    Keeps healers running and rings them.

    Attributes:
        quiet: No more messages are lost, doubled or reordered.
        mail: How many arrived, were lost, came twice, or may be overtaken by a later one.
    """

    def __init__(
        self,
        chance: random.Random,
        turns: Turns,
        cloud: WatchedCloud,
        hire: Callable[[str], SimHealer],
        count: int,
    ) -> None:
        self._chance = chance
        self._turns = turns
        self._cloud = cloud
        self._clock = TurnClock(turns)
        self._hire = hire
        self._firing: dict[tuple[str, str], tuple[AlertRecord, float]] = {}
        self.process = Process("city")
        self.quiet = False
        self.mail: Counter[str] = Counter()
        self.on_look: Callable[[], None] = lambda: None
        self.healers: list[SimHealer] = []
        self._count = count
        self._born = 0

    def alive(self) -> list[SimHealer]:
        """
        Healers that run.
        """
        return [healer for healer in self.healers if not healer.process.dead]

    def open(self) -> None:
        """
        Begin.
        """
        for _ in range(self._count):
            self._start()
        self._turns.spawn("alertmanager", self.process, self._watch)
        self._turns.spawn("supervisor", self.process, self._supervise)

    def _start(self) -> None:
        self._born += 1
        healer = self._hire(f"healer-{self._born}")
        self.healers = [*self.alive(), healer]
        healer.start()

    def _supervise(self) -> None:
        while True:
            self._turns.sleep(1.0 if self.quiet else self._chance.uniform(1, 8))
            for _ in range(self._count - len(self.alive())):
                self._start()

    # -- alerts

    def _watch(self) -> None:
        while True:
            self._turns.sleep(NOTICE_SECONDS)
            sick = self._sick()
            self.on_look()
            dark = [b.name for b in self._cloud.world.load_balancers.values() if b.dead]
            told = [(name, "ProbeFail") for name in sick]
            for name, kind in [*told, *((name, FRONT) for name in dark)]:
                fired = self._firing.get((name, kind))
                if fired is None or self._turns.now - fired[1] > REPEAT_SECONDS:
                    self.ring(name, kind)
            for (name, kind), (record, _) in list(self._firing.items()):
                if name not in (dark if kind == FRONT else sick) and (
                    kind != "false" or self._chance.random() < 0.1
                ):
                    del self._firing[name, kind]
                    self._send(record.model_copy(update={"status": "resolved"}))

    def _sick(self) -> list[str]:
        now = self._clock.now()
        return [
            member.instance
            for balancer in self._cloud.world.load_balancers.values()
            for pool in balancer.pools.values()
            for member in pool.members.values()
            if self._is_sick(member.instance, now)
        ]

    def _is_sick(self, instance: str, now: datetime) -> bool:
        record = self._cloud.world.instances.get(instance)
        if record is not None and (record.serves_at is None or record.serves_at > now):
            return False
        if record is not None and (record.status, record.behaviour) == SOUND:
            return False
        said = [
            health.ask(record, now, health_path=path, timeout_seconds=0.8)
            for path in (True, False)
        ]
        return any(not answer.good or answer.seconds > 0.5 for answer in said)

    def ring(self, instance: str, kind: str) -> None:
        """
        An alert about a member or a load balancer, new or repeated.
        """
        known = self._firing.get((instance, kind))
        now = self._clock.now()
        record = known[0] if known else self._record(instance, kind, now)
        self._firing[instance, kind] = record, self._turns.now
        if kind == "false" and not self.quiet and self._chance.random() < 0.3:
            # Over before it began to travel: its end overtakes it.
            self._send(record.model_copy(update={"status": "resolved"}))
        self._send(record)

    def _record(self, instance: str, kind: str, now: datetime) -> AlertRecord:
        slot = slot_of(instance)
        of_member = {
            "group": "web",
            "slot": slot.rpartition("-")[2],
            "instance_name": instance,
        }
        return AlertRecord(
            key=f"{kind}-{instance}@{now.isoformat()}",
            fingerprint=f"{kind}-{instance}",
            name="ProbeFail",
            status="firing",
            labels={
                "platform": PLATFORM,
                "service": instance.split("-")[1],
                "severity": "heal",
                "tier": "cause",
            }
            | ({} if kind == FRONT else of_member),
            starts_at=now,
            received_at=now,
        )

    def _send(self, record: AlertRecord) -> None:
        """
        To every healer, each in its own time.
        """
        for healer in self.alive():
            copies = 1
            if not self.quiet:
                copies = self._chance.choices((0, 1, 2), (10, 80, 10))[0]
                self.mail[("lost", "sent", "doubled")[copies]] += 1
            for _ in range(copies):
                self._deliver(healer, record)

    def _deliver(self, healer: SimHealer, record: AlertRecord) -> None:
        def arrive() -> None:
            heard = record.model_copy(
                update={"received_at": healer.workshop.clock.now()}
            )
            healer.hear(heard)

        delay = 0.05 if self.quiet else self._chance.choice((0.01, 0.2, 1.0, 5.0))
        self.mail["overtaken"] += delay > 1.0
        self._turns.spawn("mail", self.process, arrive, after_seconds=delay)
