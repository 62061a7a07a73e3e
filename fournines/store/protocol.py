"""
The store's doors, one Protocol per noun. Every call is one short transaction and thread-safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import Field, JsonValue

from fournines.model.case import Case
from fournines.model.desired import Platform, Service
from fournines.model.value import Value
from fournines.planning.plan import Plan
from fournines.store.restraint_protocol import Approvals, Pauses, Quarantines
from fournines.store.secret_protocol import Secrets


class StoreError(Exception):
    """
    The store could not be read or written.
    """


class LeaseHeld(StoreError):
    """
    Somebody else holds the lease; the message says who, for what and until when.
    """


PLANS_REMEMBERED = 50
STEPS_REMEMBERED = 2_000
"""What is asked for when it matters how long steps take here: as it was lately, and little to read."""


class StepState(StrEnum):
    """
    A journalled step: intended is written before the call, done or failed after it.
    """

    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


class JournalEntry(Value):
    """
    One step of one plan in the journal.
    """

    plan_id: str
    step_id: str
    kind: str
    state: StepState
    intended_at: datetime
    ended_at: datetime | None = None
    error: str | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)


def seconds_by_kind(
    steps: Iterable[tuple[str, datetime, datetime]],
) -> dict[str, tuple[float, ...]]:
    """
    How long steps took, of their kinds, beginnings and ends.
    """
    found: dict[str, list[float]] = {}
    for kind, begin, end in steps:
        found.setdefault(kind, []).append((end - begin).total_seconds())
    return {kind: tuple(seconds) for kind, seconds in found.items()}


class Lease(Value):
    """
    A right to act on a subject until `expires_at`. `fencing` grows with every change of holder.
    """

    name: str
    holder: str
    purpose: str
    fencing: int
    expires_at: datetime


class AlertRecord(Value):
    """
    An alert in the inbox. `key` is fingerprint + startsAt: the same firing has one key however often it is sent.
    """

    key: str
    fingerprint: str
    name: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: datetime
    ends_at: datetime | None = None
    received_at: datetime
    case_id: str | None = None


PAST_MAX = 10
"""Earlier states kept of each service: rolling back goes one step, people look a few further."""


class PastService(Value):
    """
    What a service was asked to be, until a change took its place.
    """

    service: Service
    until: datetime


class Registry(Protocol):
    """
    What was asked for (the last applied desired state), and what was made for it.
    """

    def put_platform(self, platform: Platform, *, at: datetime) -> None: ...

    def platform(self, name: str) -> Platform | None: ...

    def platforms(self) -> tuple[Platform, ...]: ...

    def remove_service(self, platform: str, service: str) -> None: ...

    def put_service(self, service: Service, *, at: datetime) -> None: ...

    def past(self, platform: str, service: str) -> tuple[PastService, ...]:
        """
        What it was asked to be before, newest first; the last few changes only.
        """
        ...

    def remove_platform(self, name: str) -> None: ...

    def record_resource(
        self, platform: str, kind: str, name: str, cloud_id: str, *, at: datetime
    ) -> None: ...

    def forget_resource(self, platform: str, kind: str, name: str) -> None: ...

    def resources(self, platform: str) -> tuple[tuple[str, str, str], ...]:
        """
        (kind, name, cloud id) of what we made and have not deleted.
        """
        ...


class Journal(Protocol):
    """
    Intents before calls, results after them.
    """

    def open_plan(
        self, plan: Plan, *, holder: str, at: datetime, rights: Sequence[Lease] = ()
    ) -> None:
        """
        Begin a plan, or take up one that was left open. Raises LeaseHeld when one of `rights` is somebody else's by now.
        """
        ...

    def plan(self, plan_id: str) -> Plan | None: ...

    def intend(
        self,
        plan_id: str,
        step_id: str,
        kind: str,
        *,
        at: datetime,
        result: Mapping[str, JsonValue] | None = None,
        rights: Sequence[Lease] = (),
    ) -> None:
        """
        Write down what is about to be done. `result` holds what is known beforehand; a repeated intent keeps the first one's.

        Raises LeaseHeld, and writes nothing, when one of `rights` is somebody else's by now: its number is compared in the same transaction.
        """
        ...

    def finish(
        self,
        plan_id: str,
        step_id: str,
        state: StepState,
        *,
        at: datetime,
        error: str | None = None,
        result: Mapping[str, JsonValue] | None = None,
        rights: Sequence[Lease] = (),
    ) -> None: ...

    def entries(self, plan_id: str) -> tuple[JournalEntry, ...]: ...

    def close_plan(
        self, plan_id: str, *, outcome: str, at: datetime, rights: Sequence[Lease] = ()
    ) -> None: ...

    def unfinished(self) -> tuple[Plan, ...]:
        """
        Plans opened and never closed: their worker died; reconcile adopts them.
        """
        ...

    def forget(self, before: datetime) -> int:
        """
        Delete closed plans opened before a moment, entries included; how many.
        """
        ...

    def history(
        self, platform: str, service: str, *, since: datetime
    ) -> tuple[Plan, ...]:
        """
        Healing plans opened for a service since a moment, for attempts and cool-down.
        """
        ...

    def step_seconds(self) -> dict[str, tuple[float, ...]]:
        """
        How long steps took lately, by kind, the newest first: of the newest plans, those that were done, `STEPS_REMEMBERED` in all.
        """
        ...


class Leases(Protocol):
    """
    One actor per subject. Leases expire by the store's clock, the same for everybody.
    """

    def acquire(
        self, name: str, *, holder: str, purpose: str, ttl_seconds: float
    ) -> Lease:
        """
        Take. Raises LeaseHeld when another holder's lease has not expired.
        """
        ...

    def renew(self, lease: Lease, *, ttl_seconds: float) -> Lease:
        """
        Keep. Raises LeaseHeld when anybody else had it since, even if they have given it back.
        """
        ...

    def release(self, lease: Lease) -> None: ...

    def current(self, name: str) -> Lease | None:
        """
        The lease of that name, if it is in force.
        """
        ...

    def in_force(self) -> tuple[Lease, ...]:
        """
        Every lease that somebody holds now.
        """
        ...


class Inbox(Protocol):
    """
    Alerts, committed before they are answered.
    """

    def put(self, alerts: Sequence[AlertRecord]) -> tuple[AlertRecord, ...]:
        """
        Commit all in one transaction; returns those that are new or whose status changed to resolved.
        """
        ...

    def pending(self, limit: int = 100) -> tuple[AlertRecord, ...]:
        """
        Alerts no case has taken yet, oldest first.
        """
        ...

    def assign(self, keys: Sequence[str], case_id: str) -> None: ...

    def forget(self, before: datetime, *, firing_before: datetime) -> int:
        """
        Delete alerts received before a moment that have their case, and resolved or not those older still; how many, at most some
        thousands in one go.
        """
        ...

    def firing(self, platform: str, service: str) -> tuple[AlertRecord, ...]:
        """
        Alerts of a service whose last word was "firing".
        """
        ...


class Cases(Protocol):
    """
    Episodes.
    """

    def put(self, case: Case, *, rights: Sequence[Lease] = ()) -> None:
        """
        Insert or replace. Raises LeaseHeld when one of `rights` is somebody else's by now.
        """
        ...

    def case(self, case_id: str) -> Case | None: ...

    def open_for(self, key: str) -> Case | None:
        """
        The open case of a subject's key; there is at most one.
        """
        ...

    def cases(
        self,
        *,
        service: str | None = None,
        key: str | None = None,
        open_only: bool = False,
        since: datetime | None = None,
        limit: int = 100,
    ) -> tuple[Case, ...]:
        """
        Newest first.
        """
        ...

    def forget(self, before: datetime) -> int:
        """
        Delete ended cases opened before a moment; how many.
        """
        ...


class Switches(Protocol):
    """
    Persistent switches: `healing` is the master switch; on unless somebody switched it off.
    """

    def is_on(self, name: str) -> bool: ...

    def set(self, name: str, *, on: bool, by: str, why: str, at: datetime) -> None: ...

    def why(self, name: str) -> str:
        """
        Who switched it, when and why; empty when nobody ever did.
        """
        ...


class Store(Protocol):
    """
    All of it, over one database.
    """

    def now(self) -> datetime:
        """
        The present by the store's own clock: the same for everybody who works on it.
        """
        ...

    @property
    def registry(self) -> Registry: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def leases(self) -> Leases: ...

    @property
    def inbox(self) -> Inbox: ...

    @property
    def cases(self) -> Cases: ...

    @property
    def switches(self) -> Switches: ...

    @property
    def pauses(self) -> Pauses: ...

    @property
    def quarantines(self) -> Quarantines: ...

    @property
    def approvals(self) -> Approvals: ...

    @property
    def secrets(self) -> Secrets: ...
