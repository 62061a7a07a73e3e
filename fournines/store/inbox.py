"""
The inbox: alerts, committed before they are answered.

A key names one firing, so its life has one direction: firing, then resolved. A late or repeated "firing" of a resolved key changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from fournines.store.database import Database
from fournines.store.protocol import AlertRecord
from fournines.store.tables import alerts

FORGOTTEN_AT_ONCE = 5_000
"""Alerts looked at in one go: they are read whole, for the moment they came stands in them."""

RESOLVED = "resolved"
FIRING = "firing"


class SqlInbox:
    """
    `Inbox` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, alerts_: Sequence[AlertRecord]) -> tuple[AlertRecord, ...]:
        if not alerts_:
            return ()
        news: dict[str, AlertRecord] = {}
        with self._database.writing(f"committing {len(alerts_)} alerts") as db:
            known = {
                row.key: row.status
                for row in db.execute(
                    select(alerts.c.key, alerts.c.status).where(
                        alerts.c.key.in_({record.key for record in alerts_})
                    )
                )
            }
            for record in alerts_:
                before = known.get(record.key)
                if before is None:
                    # Another host's door may have committed it since we looked.
                    statement = self._database.insert(alerts).values(**_row(record))
                    db.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
                elif before != RESOLVED and record.status == RESOLVED:
                    row = _row(record)
                    del row["case_id"]
                    db.execute(
                        update(alerts).where(alerts.c.key == record.key).values(**row)
                    )
                else:
                    continue
                known[record.key] = record.status
                news[record.key] = record
        return tuple(news.values())

    def pending(self, limit: int = 100) -> tuple[AlertRecord, ...]:
        with self._database.reading("reading pending alerts") as db:
            rows = db.execute(
                select(alerts.c.document, alerts.c.case_id)
                .where(alerts.c.case_id.is_(None))
                .order_by(alerts.c.sequence)
                .limit(limit)
            ).all()
        return _records(rows)

    def assign(self, keys: Sequence[str], case_id: str) -> None:
        if not keys:
            return
        with self._database.writing(f"assigning alerts to {case_id}") as db:
            db.execute(
                update(alerts).where(alerts.c.key.in_(keys)).values(case_id=case_id)
            )

    def forget(self, before: datetime, *, firing_before: datetime) -> int:
        with self._database.writing("forgetting old alerts") as db:
            oldest = db.execute(
                select(alerts.c.document, alerts.c.case_id, alerts.c.sequence)
                .where(alerts.c.case_id.is_not(None))
                .order_by(alerts.c.sequence)
                .limit(FORGOTTEN_AT_ONCE)
            ).all()
            old = [
                row.sequence
                for row, record in zip(oldest, _records(oldest), strict=True)
                if record.received_at
                < (before if record.status == RESOLVED else firing_before)
            ]
            db.execute(delete(alerts).where(alerts.c.sequence.in_(old)))
            return len(old)

    def firing(self, platform: str, service: str) -> tuple[AlertRecord, ...]:
        with self._database.reading(f"reading the alerts of {service}") as db:
            rows = db.execute(
                select(alerts.c.document, alerts.c.case_id)
                .where(
                    alerts.c.platform == platform,
                    alerts.c.service == service,
                    alerts.c.status == FIRING,
                )
                .order_by(alerts.c.sequence)
            ).all()
        return _records(rows)


def _row(record: AlertRecord) -> dict[str, object]:
    return {
        "key": record.key,
        "status": record.status,
        "platform": record.labels.get("platform"),
        "service": record.labels.get("service"),
        "case_id": record.case_id,
        "document": record.model_dump_json(exclude={"case_id"}),
    }


def _records(rows: Iterable[Any]) -> tuple[AlertRecord, ...]:
    return tuple(
        AlertRecord.model_validate_json(row.document).model_copy(
            update={"case_id": row.case_id}
        )
        for row in rows
    )
