"""
How a call of the simulated cloud runs: latency, fault, effect under the lock, retries as the real adapter makes them, waiting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import TypeVar

from fournines.clock import Clock
from fournines.cloud import permit
from fournines.cloud.errors import (
    CapacityMissing,
    CloudBusy,
    CloudError,
    CloudUnreachable,
    CredentialsRefused,
    DeadlinePassed,
    NameTaken,
    QuotaExceeded,
    ResourceMissing,
)
from fournines.cloud.simulated.faults import TRANSIENT, Fault, FaultKind, Killed
from fournines.cloud.simulated.records import Marked
from fournines.cloud.simulated.scenario import Scenario
from fournines.cloud.simulated.world import World
from fournines.crew import THREADS, Crew

T = TypeVar("T")
R = TypeVar("R", bound=Marked)

TIMEOUT_SECONDS = 30.0
"""What a call whose answer never comes costs."""

RETRY_SECONDS = 0.2
"""Pause before a call is tried again."""


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of the API, as it was made; kept so that tests can assert on the way, not only on the end.
    """

    at: datetime
    name: str
    subject: str
    fault: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """
    What an effect is told: the present, and the fault it is to show.
    """

    now: datetime
    fault: Fault | None


class Door:
    """
    The base of the simulated cloud's parts.

    Attributes:
        calls: Every call, in order.
    """

    def __init__(self, scenario: Scenario, clock: Clock, crew: Crew = THREADS) -> None:
        self.scenario = scenario
        self.clock = clock
        self.world = World(scenario)
        self.calls: list[Call] = []
        self._lock = RLock()
        self._balancer_locks: defaultdict[str, AbstractContextManager[object]] = (
            defaultdict(crew.lock)
        )

    @property
    def call_counts(self) -> Counter[str]:
        """
        How often each call was made.
        """
        return Counter(call.name for call in self.calls)

    def settle(self) -> datetime:
        """
        Let everything happen that is due; returns the present. Call under the lock.
        """
        now = self.clock.now()
        self.world.agenda.run_until(now)
        return now

    def call(self, name: str, subject: str, act: Callable[[Moment], T]) -> T:
        """
        One API call: with latency, faults and retries on transient ones.
        """
        for _ in range(self.scenario.attempts - 1):
            try:
                return self._once(name, subject, act)
            except (CloudBusy, CloudUnreachable):
                self.clock.sleep(RETRY_SECONDS)
        return self._once(name, subject, act)

    def _once(self, name: str, subject: str, act: Callable[[Moment], T]) -> T:
        if self.scenario.speeds.api:
            self.clock.sleep(self.scenario.speeds.api)
        attempted = f"{name} {subject}".strip()
        permit.ask()
        with self._lock:
            now = self.settle()
            fault = self.world.faults.strike(name, subject, now)
            self.calls.append(Call(now, name, subject, fault.kind if fault else None))
            _asked(name, self.world, attempted)
            if fault:
                _before(fault, attempted)
            result = act(Moment(now, fault))
        if fault:
            self._after(fault, attempted)
        return result

    def _after(self, fault: Fault, attempted: str) -> None:
        """
        Faults that hide an effect that took place.
        """
        if fault.kind is FaultKind.KILL_AFTER:
            raise Killed(attempted)
        if fault.kind is FaultKind.TIMEOUT_AFTER:
            self.clock.sleep(TIMEOUT_SECONDS)
        if fault.kind in TRANSIENT:
            raise CloudUnreachable(attempted, fault.text or f"injected {fault.kind}")

    def wait(
        self, attempted: str, deadline: datetime, look: Callable[[], T | None]
    ) -> T:
        """
        Let time pass until `look` finds something. It looks under the lock.

        Raises:
            DeadlinePassed: It did not in time.
        """
        while True:
            with self._lock:
                now = self.settle()
                found = look()
                due = self.world.agenda.next_due
            if found is not None:
                return found
            if now >= deadline:
                raise DeadlinePassed(attempted)
            until = min(due, deadline) if due else deadline
            self.clock.sleep(max((until - now).total_seconds(), 0.0))

    def deadline(self, seconds: float) -> datetime:
        """
        So many seconds from now.
        """
        return self.clock.now() + timedelta(seconds=seconds)

    def balancer_lock(self, name: str) -> AbstractContextManager[object]:
        """
        Held for the length of a change to a load balancer, so that callers never meet PENDING states.
        """
        with self._lock:
            return self._balancer_locks[name]


_ASKED = {
    "nova": frozenset({"ensure_instance", "restart_instance", "delete_instance"}),
    "octavia": frozenset({"pool", "join_pool", "leave_pool", "set_weight"}),
}
"""Which calls a service answers, besides the reading of everything."""


def _asked(name: str, world: World, attempted: str) -> None:
    """
    A service that is away answers none of its calls.
    """
    for service, calls in _ASKED.items():
        if service in world.away and name in {"inventory", *calls}:
            raise CloudUnreachable(attempted, f"{service} does not answer")


def _before(fault: Fault, attempted: str) -> None:
    """
    Faults that keep a call from taking effect.
    """
    text = fault.text or f"injected {fault.kind}"
    errors: dict[FaultKind, type[CloudError]] = {
        FaultKind.FAIL_BEFORE: CloudUnreachable,
        FaultKind.BUSY: CloudBusy,
        FaultKind.CREDENTIALS: CredentialsRefused,
        FaultKind.QUOTA: QuotaExceeded,
        FaultKind.NO_CAPACITY: CapacityMissing,
    }
    if fault.kind is FaultKind.KILL_BEFORE:
        raise Killed(attempted)
    if fault.kind in errors:
        raise errors[fault.kind](attempted, text)


def ours(record: R, attempted: str) -> R:
    """
    The record, if it carries our mark.

    Raises:
        NameTaken: It does not.
    """
    if record.owner is None:
        raise NameTaken(
            attempted,
            f"{record.name} ({record.id}) exists and was not made by Fournines",
            "Rename or delete it, or choose another name",
        )
    return record


def named(records: Mapping[str, T], name: str, noun: str, attempted: str) -> T:
    """
    The record of a name.

    Raises:
        ResourceMissing: There is none.
    """
    found = records.get(name)
    if found is None:
        raise ResourceMissing(attempted, f"there is no {noun} {name}")
    return found
