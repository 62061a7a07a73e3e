"""
What must hold at every moment, whatever goes wrong: checked at the very moment of each change of the cloud and each commit of a case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from fournines.cloud.simulated import Behaviour, health
from fournines.model.case import Case, CaseState, Diagnosis
from fournines.model.cluster import majority
from fournines.model.desired import Platform
from fournines.store.memory import MemoryStore
from healing.diagnosis import kinds
from tests.sim import remains
from tests.sim.onlooker import Onlooker
from tests.sim.town import (
    CLUSTER_SIZE,
    PLATFORM,
    WatchedCloud,
    is_cluster,
    slot_of,
    slots,
)
from tests.sim.turns import Process, TurnClock, Turns

LEFT_SECONDS = 60.0
"""Whom users have not been sent to for so long, somebody else's change took out of the pool: no healing of now did."""

WELL_SECONDS = 30.0
"""Whoever recovered by itself a moment ago may still be taken away: nobody could know."""

FLIGHT = timedelta(seconds=0.25)
"""What a request takes until it has its effect: an alert that arrives meanwhile tells its sender nothing."""

KNOWN_SECONDS = 8.0
"""The healer's view is read every four seconds, and a reading may fail."""

EVIDENCE_SECONDS = 300.0
"""Bad samples count for so long; a case may wait for its turn."""

NOTICED_SECONDS = 5.0
"""Who looked a moment before a pause may act a moment after it."""

NEARLY_DONE = frozenset({"ACTIVE", "BUILD", "REBOOT"})


class LawBroken(Exception):
    """
    A law did not hold.
    """


class Laws:
    """
    The safety laws, over the true state of the world.

    Attributes:
        sick_at: When an instance was last truly sick.
        takeovers: Seconds from the death of a case's healer to the next one's taking it.
    """

    def __init__(
        self,
        turns: Turns,
        cloud: WatchedCloud,
        store: MemoryStore,
        platform: Platform,
    ) -> None:
        self._turns = turns
        self._cloud = cloud
        self._store = store
        self._clock = TurnClock(turns)
        self._services = {s.name: s for s in platform.services}
        self._clusters = [s.name for s in platform.services if is_cluster(s)]
        self._votes: dict[str, frozenset[str]] = {}
        self._slots = set(slots(platform))
        self._further: set[str] = set()
        self._disruptions_max = platform.disruptions_max
        self._acting: set[str] = set()
        self._before: dict[str, frozenset[str]] = {}
        self.sick_at: dict[str, float] = {}
        self.seen = Onlooker(turns, cloud)
        self.dead_at = self.seen.dead_at
        self.bad: list[Any] = []
        self.errors_at: Mapping[str, float] = {}
        self.trace: list[str] = []
        self.someone_lives: Callable[[], bool] = lambda: True
        self.counts: Counter[str] = Counter()
        self.orphaned: dict[str, float] = {}
        self.takeovers: list[float] = []

    def know(self, more: set[str]) -> None:
        """
        Further slots that may be asked for.
        """
        self._further |= more
        self._slots |= self._further

    def expect(self, coming: Platform | None) -> None:
        """
        A person asks for this, or has asked: what is wanted is what the registry says, and what is being changed now.
        """
        known = self._store.registry.platform(PLATFORM)
        wanted = [platform for platform in (known, coming) if platform is not None]
        asked = {slot for platform in wanted for slot in slots(platform)}
        self._slots = asked | self._further

    # -- the cloud's changes

    def before(self, call: str, subject: str) -> None:
        """
        A change is about to take effect.
        """
        self._before = {name: self._serving(name) for name in self._services}
        self._votes = {name: self._voting(name) for name in self._clusters}
        process = self._actor()
        if process is None:
            return
        self._note(process, f"{call} {subject}")
        self._owned(call, subject)
        self._one_actor(process, call, subject)
        if call == "delete_volume":
            self._broken(f"{process.name} deletes the data of {subject}")
        if call == "failover_load_balancer":
            since = self._turns.now - self.dead_at.get(subject, -1e9)
            dead = self._cloud.world.load_balancers[subject].dead
            if not dead and since > WELL_SECONDS:
                self._broken(f"{process.name} fails {subject} over, which serves")
        if call in {"delete_instance", "restart_instance"}:
            self._evidence(process, subject)

    def after(self, call: str, subject: str) -> None:
        """
        A change took effect.
        """
        if self._actor() is None:
            return
        self.counts[call] += 1
        for name, before in self._before.items():
            now = self._serving(name)
            lost = before - now
            needed = self._services[name].groups[0].healing.min_healthy
            steady = [i for i in lost if self._is_long_well(i)]
            left = now | self._believed(name)
            if steady and len(left) < needed:
                self._broken(
                    f"{call} {subject} took {steady} away: only {sorted(left)} may be thought "
                    f"to serve, {needed} must"
                )
        for name, before in self._votes.items():
            now = self._voting(name)
            steady = [i for i in before - now if self._is_long_well(i)]
            left = now | self._believed(name)
            if steady and len(left) < majority(CLUSTER_SIZE):
                self._broken(f"{call} {subject} took {steady} from a quorum: {left}")
        if call == "ensure_instance":
            self._no_double(subject)
        elif call == "ensure_volume" and (
            said := remains.doubled(self._cloud, subject)
        ):
            self._broken(said)

    def _voting(self, service: str) -> frozenset[str]:
        """
        Members of a cluster that answer, whether users are sent to them or not.
        """
        begin, now = f"{PLATFORM}-{service}-", self._clock.now()
        return frozenset(
            name
            for name in self._cloud.world.instances
            if name.startswith(begin) and self.is_well(name, now)
        )

    def _serving(self, service: str) -> frozenset[str]:
        """
        Members that users get good answers from.
        """
        balancer = self._cloud.world.load_balancers.get(f"demo-{service}-lb")
        if balancer is None:
            return frozenset()
        now = self._clock.now()
        return frozenset(
            member.instance
            for pool in balancer.pools.values()
            for member in pool.members.values()
            if member.weight > 0 and member.up and self.is_well(member.instance, now)
        )

    def _believed(self, service: str) -> frozenset[str]:
        """
        Members of whose sickness nobody can know yet: no alert came before the request went out, and the load balancer has not said so for long.
        """
        told = {
            record.labels.get("instance_name")
            for record in self._store.inbox.firing(PLATFORM, service)
            if record.received_at <= self._clock.now() - FLIGHT
        }
        balancer = self._cloud.world.load_balancers.get(f"demo-{service}-lb")
        return frozenset(
            member.instance
            for pool in (balancer.pools.values() if balancer else ())
            for member in pool.members.values()
            if member.weight > 0
            and member.instance not in told
            and self._turns.now - self.seen.down_at.get(member.instance, 1e9)
            < KNOWN_SECONDS
        )

    def is_well(self, instance: str, now: Any = None) -> bool:
        """
        Whether it truly answers users, quickly.
        """
        record, at = self._cloud.world.instances.get(instance), now or self._clock.now()
        said = health.ask(record, at, health_path=False, timeout_seconds=0.8)
        return said.good and said.seconds < 0.25

    def _is_long_well(self, instance: str) -> bool:
        return self._turns.now - self.sick_at.get(instance, -1e9) > WELL_SECONDS

    def _owned(self, call: str, subject: str) -> None:
        if "instance" not in call:
            return
        record = self._cloud.world.instances.get(subject)
        if slot_of(subject) not in self._slots and call == "ensure_instance":
            self._broken(f"{call} {subject}: nobody asked for it")
        if record is not None and record.owner is None:
            self._broken(f"{call} {subject}: it is a stranger's")

    def _one_actor(self, process: Process, call: str, subject: str) -> None:
        """
        Whoever changes a service holds its lease; the first move needs none, but then nobody else may be treating the slot.
        """
        service = _service_of(subject)
        if service not in self._services:
            return
        lease = self._store.leases.current(f"{PLATFORM}/{service}")
        if lease is not None and _is_of(lease.holder, process):
            return
        if call != "set_weight":
            holder = lease.holder if lease else "nobody"
            self._broken(
                f"{process.name} calls {call} {subject}, but {holder} holds {service}"
            )
        for case in self._store.cases.cases(service=service, open_only=True):
            if case.subject.instance != subject:
                continue
            treated = self._store.leases.current(f"case/{case.id}")
            if treated is not None and not _is_of(treated.holder, process):
                self._broken(
                    f"{process.name} moves the weight of {subject}, {treated.holder} treats it"
                )

    def _evidence(self, process: Process, instance: str) -> None:
        """
        Nothing is deleted or restarted by healing that did not look bad twice, or that the cloud did not call dead.

        One of the two may be Prometheus' where the case says `grey-errors`, as docs/healing.md promises: a member that fails one request in three
        slips through two probes. It counts once however often it is told, and never without a bad sample of our own.
        """
        service = _service_of(instance)
        lease = self._store.leases.current(f"{PLATFORM}/{service}")
        record = self._cloud.world.instances.get(instance)
        if lease is None or lease.purpose != "healing" or record is None:
            return
        if record.status not in NEARLY_DONE or self._is_left_over(instance):
            return
        since = self._turns.now - EVIDENCE_SECONDS
        samples = sum(at > since for eyes in self.bad for at in eyes.bad[instance])
        measured = self.errors_at.get(instance, -1e9) > since
        if samples + (measured and self._is_grey(instance)) < 2 or not samples:
            self._broken(
                f"{process.name} takes {instance} away on {samples} bad samples"
            )

    def _is_grey(self, instance: str) -> bool:
        """
        Whether its slot's case is about errors behind a green health check.
        """
        return any(
            case.diagnosis is Diagnosis.GREY_ERRORS
            for case in self._store.cases.cases(
                service=_service_of(instance), open_only=True
            )
            if case.subject.slot == int(slot_of(instance).rpartition("-")[2])
        )

    def _is_left_over(self, instance: str) -> bool:
        """
        One of three in a slot that serves nobody: an interrupted healing left it, and its evidence may be old. Or a deploy did, which replaced it when it
        was dead, and a person has mended it since: no user has been sent to it for long, so nobody loses anything.
        """
        here = [
            n for n in self._cloud.world.instances if slot_of(n) == slot_of(instance)
        ]
        asked_at = self.seen.asked_at.get(instance, -1e9)
        idle = self._turns.now - asked_at > LEFT_SECONDS
        return len(here) > 2 and (idle or not self.is_well(instance))

    def _no_double(self, instance: str) -> None:
        here = [
            record
            for name, record in self._cloud.world.instances.items()
            if slot_of(name) == slot_of(instance) and record.owner is not None
        ]
        building = [
            record.name
            for record in here
            # One whose host has died is built no more, whatever Nova says.
            if record.status == "BUILD" and record.behaviour is not Behaviour.KILL
        ]
        if len(building) > 1:
            self._broken(f"{building} are built at once for one slot")
        if len(here) > 4:
            self._broken(f"{[r.name for r in here]} hold one slot")

    # -- the store's commits

    def committed(self, process: Process, moment: str, args: tuple[Any, ...]) -> None:
        """
        A process' call of cloud or store took effect.
        """
        if moment == "cases.put":
            case = args[0]
            state = case.state.value
            self._note(process, f"case {case.subject.key} {state}")
            if case.state is CaseState.ACTING:
                self._few_disruptions()
                if case.id not in self._acting:
                    self._unpaused(process, case)
                self._acting.add(case.id)
            else:
                self._acting.discard(case.id)
            if case.state.ended:
                self.counts[f"case {state}"] += case.closed_at is not None
        elif moment == "leases.acquire" and args[0].startswith("case/"):
            died = self.orphaned.pop(args[0], None)
            if died is not None:
                self.takeovers.append(self._turns.now - died)
                self._note(
                    process, f"takes {args[0]} over, {self._turns.now - died:.2f} s"
                )

    def _unpaused(self, process: Process, case: Case) -> None:
        """
        Nobody begins to act where a person said, some time ago, to keep hands off.
        """
        now = self._clock.now()
        for pause in self._store.pauses.all():
            told = (now - pause.at).total_seconds() > NOTICED_SECONDS
            if told and pause.holds(now) and pause.covers(case.subject):
                self._broken(
                    f"{process.name} acts on {case.subject.key}, though {pause.sentence()}"
                )

    def _few_disruptions(self) -> None:
        acting = [
            case.subject.key
            for case in self._store.cases.cases(open_only=True, limit=1_000)
            if case.state is CaseState.ACTING
            # Giving a weight back disrupts nobody, and neither does calling a person.
            and case.diagnosis not in {Diagnosis.NOTHING, *kinds.A_PERSONS}
        ]
        if len(acting) > self._disruptions_max:
            self._broken(f"{acting} act at once, {self._disruptions_max} may")
        for name in self._clusters:
            busy = [
                case.subject.key
                for case in self._store.cases.cases(service=name, open_only=True)
                if case.state in {CaseState.ACTING, CaseState.VERIFYING}
                and case.diagnosis not in kinds.WELL | kinds.A_PERSONS
            ]
            if len(busy) > 1:
                self._broken(f"{busy} of one cluster are changed at once")

    def died(self, process: Process) -> None:
        """
        A healer died: its cases have nobody now.
        """
        self._note(process, "dies")
        self.disturbed()
        if not self.someone_lives():
            return
        for lease in self._store.leases.in_force():
            if lease.name.startswith("case/") and _is_of(lease.holder, process):
                self.orphaned[lease.name] = self._turns.now

    def disturbed(self) -> None:
        """
        A healer died or was stopped: whoever might take a case over may be that one, so these takeovers are not measured.
        """
        self.orphaned.clear()

    # -- telling

    def _actor(self) -> Process | None:
        process = task.process if (task := self._turns.current) else None
        return process if process and process.name.startswith("healer") else None

    def _note(self, process: Process, text: str) -> None:
        self.trace.append(f"{self._turns.now:9.3f} {process.name:10} {text}")

    def _broken(self, text: str) -> None:
        error = LawBroken(f"{self._turns.now:.3f}: {text}")
        self._turns.broken.append(error)
        raise error


def _service_of(subject: str) -> str:
    return subject.split("-")[1]


def _is_of(holder: str, process: Process) -> bool:
    return holder.startswith(f"{process.name} ")
