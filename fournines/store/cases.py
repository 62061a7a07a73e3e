"""
Cases: episodes from the first sign to the verdict. The database itself holds that a subject has at most one open case.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from fournines.model.case import Case
from fournines.store import leases
from fournines.store.database import Database
from fournines.store.documents import parsed
from fournines.store.protocol import Lease
from fournines.store.tables import cases


class SqlCases:
    """
    `Cases` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, case: Case, *, rights: Sequence[Lease] = ()) -> None:
        row = {
            "id": case.id,
            "key": case.subject.key,
            "service": case.subject.service,
            "open": not case.state.ended,
            "opened_at": case.opened_at,
            "document": case.model_dump_json(),
        }
        with self._database.writing(f"recording case {case.id}") as db:
            leases.demand(db, rights)
            db.execute(
                self._database.insert(cases)
                .values(**row)
                .on_conflict_do_update(index_elements=["id"], set_=row)
            )

    def case(self, case_id: str) -> Case | None:
        with self._database.reading(f"reading case {case_id}") as db:
            text = db.execute(
                select(cases.c.document).where(cases.c.id == case_id)
            ).scalar()
        return parsed(Case, text) if text else None

    def open_for(self, key: str) -> Case | None:
        with self._database.reading(f"reading the open case of {key}") as db:
            text = db.execute(
                select(cases.c.document).where(cases.c.key == key, cases.c.open)
            ).scalar()
        return parsed(Case, text) if text else None

    def cases(
        self,
        *,
        service: str | None = None,
        key: str | None = None,
        open_only: bool = False,
        since: datetime | None = None,
        limit: int = 100,
    ) -> tuple[Case, ...]:
        query = select(cases.c.document)
        if service is not None:
            query = query.where(cases.c.service == service)
        if key is not None:
            query = query.where(cases.c.key == key)
        if open_only:
            query = query.where(cases.c.open)
        if since is not None:
            query = query.where(cases.c.opened_at >= since)
        query = query.order_by(cases.c.opened_at.desc(), cases.c.id).limit(limit)
        with self._database.reading("reading the cases") as db:
            texts = db.execute(query).scalars().all()
        return tuple(parsed(Case, text) for text in texts)

    def forget(self, before: datetime) -> int:
        old = (cases.c.opened_at < before) & ~cases.c.open
        with self._database.writing("forgetting old cases") as db:
            return db.execute(delete(cases).where(old)).rowcount
