"""
The journal: intents before calls, results after them.

A plan's id follows from its content, so the same plan may be opened again months later. Every opening is therefore a run of its own: opening an id
whose newest run is still open adopts that run with its entries (its worker died); after a close a new run begins with an empty page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from fournines.planning.plan import Plan, Purpose
from fournines.store import leases
from fournines.store.database import Database
from fournines.store.documents import parsed
from fournines.store.protocol import (
    PLANS_REMEMBERED,
    STEPS_REMEMBERED,
    JournalEntry,
    Lease,
    StepState,
    StoreError,
    seconds_by_kind,
)
from fournines.store.tables import entries, plans


class SqlJournal:
    """
    `Journal` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_plan(
        self, plan: Plan, *, holder: str, at: datetime, rights: Sequence[Lease] = ()
    ) -> None:
        with self._database.writing(f"opening plan {plan.id}") as db:
            leases.demand(db, rights)
            newest = _newest(db, plan.id)
            if newest is not None and newest.closed_at is None:
                db.execute(
                    update(plans).where(plans.c.run == newest.run).values(holder=holder)
                )
                return
            db.execute(
                insert(plans).values(
                    id=plan.id,
                    platform=plan.platform,
                    service=plan.service,
                    purpose=plan.purpose.value,
                    holder=holder,
                    opened_at=at,
                    document=plan.model_dump_json(),
                )
            )

    def plan(self, plan_id: str) -> Plan | None:
        with self._database.reading(f"reading plan {plan_id}") as db:
            newest = _newest(db, plan_id)
            return parsed(Plan, newest.document) if newest else None

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
        with self._database.writing(f"journalling {step_id}") as db:
            leases.demand(db, rights)
            statement = self._database.insert(entries).values(
                run=_run(plan_id),
                step_id=step_id,
                kind=kind,
                state=StepState.INTENDED.value,
                intended_at=at,
                result=json.dumps(dict(result or {})),
            )
            db.execute(
                statement.on_conflict_do_update(
                    index_elements=["run", "step_id"],
                    set_={
                        "state": StepState.INTENDED.value,
                        "intended_at": at,
                        "ended_at": None,
                        "error": None,
                    },
                )
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
        with self._database.writing(f"journalling the end of {step_id}") as db:
            leases.demand(db, rights)
            done = db.execute(
                update(entries)
                .where(entries.c.run == _run(plan_id), entries.c.step_id == step_id)
                .values(
                    state=state.value,
                    ended_at=at,
                    error=error,
                    result=json.dumps(dict(result or {})),
                )
            )
            if done.rowcount != 1:
                raise StoreError(
                    f"step {step_id} of plan {plan_id} ended without ever being intended"
                )

    def entries(self, plan_id: str) -> tuple[JournalEntry, ...]:
        with self._database.reading(f"reading the journal of {plan_id}") as db:
            rows = db.execute(
                select(entries)
                .where(entries.c.run == _run(plan_id))
                .order_by(entries.c.intended_at, entries.c.step_id)
            ).all()
        return tuple(
            JournalEntry(
                plan_id=plan_id,
                step_id=row.step_id,
                kind=row.kind,
                state=StepState(row.state),
                intended_at=row.intended_at,
                ended_at=row.ended_at,
                error=row.error,
                result=json.loads(row.result),
            )
            for row in rows
        )

    def close_plan(
        self, plan_id: str, *, outcome: str, at: datetime, rights: Sequence[Lease] = ()
    ) -> None:
        with self._database.writing(f"closing plan {plan_id}") as db:
            leases.demand(db, rights)
            db.execute(
                update(plans)
                .where(plans.c.run == _run(plan_id))
                .values(closed_at=at, outcome=outcome)
            )

    def unfinished(self) -> tuple[Plan, ...]:
        with self._database.reading("reading unfinished plans") as db:
            rows = db.execute(
                select(plans.c.document)
                .where(plans.c.closed_at.is_(None))
                .order_by(plans.c.run)
            ).scalars()
            return tuple(parsed(Plan, text) for text in rows)

    def forget(self, before: datetime) -> int:
        old = (plans.c.opened_at < before) & plans.c.closed_at.is_not(None)
        with self._database.writing("forgetting old plans") as db:
            runs = select(plans.c.run).where(old).scalar_subquery()
            db.execute(delete(entries).where(entries.c.run.in_(runs)))
            return db.execute(delete(plans).where(old)).rowcount

    def history(
        self, platform: str, service: str, *, since: datetime
    ) -> tuple[Plan, ...]:
        with self._database.reading(f"reading the history of {service}") as db:
            rows = db.execute(
                select(plans.c.document)
                .where(
                    plans.c.platform == platform,
                    plans.c.service == service,
                    plans.c.purpose == Purpose.HEAL.value,
                    plans.c.opened_at >= since,
                )
                .order_by(plans.c.run)
            ).scalars()
            return tuple(parsed(Plan, text) for text in rows)

    def step_seconds(self) -> dict[str, tuple[float, ...]]:
        newest = select(plans.c.run).order_by(plans.c.run.desc())
        lately = newest.limit(PLANS_REMEMBERED).subquery()
        with self._database.reading("reading how long steps take") as db:
            rows = db.execute(
                select(entries.c.kind, entries.c.intended_at, entries.c.ended_at)
                .where(
                    entries.c.run.in_(select(lately.c.run)),
                    entries.c.state == StepState.DONE.value,
                    entries.c.ended_at.is_not(None),
                )
                .order_by(entries.c.ended_at.desc())
                .limit(STEPS_REMEMBERED)
            ).all()
        return seconds_by_kind(
            (row.kind, row.intended_at, row.ended_at) for row in rows
        )


def _run(plan_id: str) -> object:
    newest: Select[tuple[int]] = select(func.max(plans.c.run)).where(
        plans.c.id == plan_id
    )
    return newest.scalar_subquery()


def _newest(db: Connection, plan_id: str) -> Any | None:
    return db.execute(
        select(plans).where(plans.c.id == plan_id).order_by(plans.c.run.desc()).limit(1)
    ).first()
