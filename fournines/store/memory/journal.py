"""
The journal in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from pydantic import JsonValue

from fournines.planning.plan import Plan, Purpose
from fournines.store.memory.leases import MemoryLeases
from fournines.store.protocol import (
    PLANS_REMEMBERED,
    STEPS_REMEMBERED,
    JournalEntry,
    Lease,
    StepState,
    StoreError,
    seconds_by_kind,
)


@dataclass(slots=True)
class _Run:
    """
    One opening of a plan.
    """

    plan: Plan
    holder: str
    opened_at: datetime
    closed_at: datetime | None = None
    outcome: str = ""
    entries: dict[str, JournalEntry] = field(default_factory=dict)


class MemoryJournal:
    """
    `Journal` in memory.
    """

    def __init__(self, lock: RLock, leases: MemoryLeases) -> None:
        self._lock = lock
        self._leases = leases
        self._runs: list[_Run] = []
        self._newest: dict[str, _Run] = {}
        self._open: dict[int, _Run] = {}

    def open_plan(
        self, plan: Plan, *, holder: str, at: datetime, rights: Sequence[Lease] = ()
    ) -> None:
        with self._lock:
            self._leases.demand(rights)
            newest = self._newest.get(plan.id)
            if newest is not None and newest.closed_at is None:
                newest.holder = holder
                return
            run = _Run(plan, holder, at)
            self._open[len(self._runs)] = run
            self._runs.append(run)
            self._newest[plan.id] = run

    def plan(self, plan_id: str) -> Plan | None:
        with self._lock:
            run = self._newest.get(plan_id)
            return run.plan if run else None

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
        with self._lock:
            self._leases.demand(rights)
            run = self._newest.get(plan_id)
            if run is None:
                raise StoreError(f"journalling {step_id}: plan {plan_id} is not open")
            before = run.entries.get(step_id)
            run.entries[step_id] = JournalEntry(
                plan_id=plan_id,
                step_id=step_id,
                kind=kind,
                state=StepState.INTENDED,
                intended_at=at,
                result=before.result if before else dict(result or {}),
            )

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
    ) -> None:
        with self._lock:
            self._leases.demand(rights)
            run = self._newest.get(plan_id)
            entry = run.entries.get(step_id) if run else None
            if run is None or entry is None:
                raise StoreError(
                    f"step {step_id} of plan {plan_id} ended without ever being intended"
                )
            run.entries[step_id] = entry.model_copy(
                update={
                    "state": state,
                    "ended_at": at,
                    "error": error,
                    "result": dict(result or {}),
                }
            )

    def entries(self, plan_id: str) -> tuple[JournalEntry, ...]:
        with self._lock:
            run = self._newest.get(plan_id)
            found = run.entries.values() if run else ()
            return tuple(sorted(found, key=lambda e: (e.intended_at, e.step_id)))

    def close_plan(
        self, plan_id: str, *, outcome: str, at: datetime, rights: Sequence[Lease] = ()
    ) -> None:
        with self._lock:
            self._leases.demand(rights)
            run = self._newest.get(plan_id)
            if run is not None:
                run.closed_at, run.outcome = at, outcome
                self._open = {n: r for n, r in self._open.items() if r is not run}

    def unfinished(self) -> tuple[Plan, ...]:
        with self._lock:
            return tuple(run.plan for run in self._open.values())

    def history(
        self, platform: str, service: str, *, since: datetime
    ) -> tuple[Plan, ...]:
        with self._lock:
            return tuple(
                run.plan
                for run in self._runs
                if (run.plan.platform, run.plan.service) == (platform, service)
                and run.plan.purpose is Purpose.HEAL
                and run.opened_at >= since
            )

    def step_seconds(self) -> dict[str, tuple[float, ...]]:
        with self._lock:
            done = [
                (entry.kind, entry.intended_at, entry.ended_at)
                for run in self._runs[-PLANS_REMEMBERED:]
                for entry in run.entries.values()
                if entry.state is StepState.DONE and entry.ended_at is not None
            ]
        newest = sorted(done, key=lambda step: step[2], reverse=True)
        return seconds_by_kind(newest[:STEPS_REMEMBERED])

    def forget(self, before: datetime) -> int:
        with self._lock:
            kept = [
                run
                for run in self._runs
                if run.closed_at is None or run.opened_at >= before
            ]
            gone = len(self._runs) - len(kept)
            self._runs = kept
            self._open = {n: r for n, r in enumerate(kept) if r.closed_at is None}
            self._newest = {run.plan.id: run for run in kept}
        return gone
