"""
Pauses, quarantines and approvals on a database.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from fournines.model.approval import Approval, ApprovalState
from fournines.model.pause import Pause
from fournines.model.quarantine import Quarantine
from fournines.store.database import Database
from fournines.store.tables import approvals, pauses, quarantines


class SqlPauses:
    """
    `Pauses` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, pause: Pause) -> None:
        document = pause.model_dump_json()
        with self._database.writing(f"pausing {pause.key}") as db:
            db.execute(
                self._database.insert(pauses)
                .values(key=pause.key, document=document)
                .on_conflict_do_update(
                    index_elements=["key"], set_={"document": document}
                )
            )

    def lift(self, key: str) -> Pause | None:
        with self._database.writing(f"lifting the pause of {key}") as db:
            text = db.execute(
                select(pauses.c.document).where(pauses.c.key == key)
            ).scalar()
            db.execute(delete(pauses).where(pauses.c.key == key))
        return Pause.model_validate_json(text) if text else None

    def all(self) -> tuple[Pause, ...]:
        with self._database.reading("reading the pauses") as db:
            texts = db.execute(select(pauses.c.document).order_by(pauses.c.key))
            return tuple(Pause.model_validate_json(t) for t in texts.scalars())


class SqlQuarantines:
    """
    `Quarantines` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, quarantine: Quarantine) -> None:
        document = quarantine.model_dump_json()
        with self._database.writing(f"recording strikes of {quarantine.key}") as db:
            db.execute(
                self._database.insert(quarantines)
                .values(key=quarantine.key, document=document)
                .on_conflict_do_update(
                    index_elements=["key"], set_={"document": document}
                )
            )

    def release(self, key: str) -> None:
        with self._database.writing(f"releasing {key}") as db:
            db.execute(delete(quarantines).where(quarantines.c.key == key))

    def all(self) -> tuple[Quarantine, ...]:
        with self._database.reading("reading the quarantines") as db:
            texts = db.execute(
                select(quarantines.c.document).order_by(quarantines.c.key)
            )
            return tuple(Quarantine.model_validate_json(t) for t in texts.scalars())


class SqlApprovals:
    """
    `Approvals` on a database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, request: Approval) -> None:
        with self._database.writing(f"asking approval of {request.case_id}") as db:
            row = _row(request)
            db.execute(
                self._database.insert(approvals)
                .values(**row)
                .on_conflict_do_update(index_elements=["case_id"], set_=row)
            )

    def of(self, case_id: str) -> Approval | None:
        with self._database.reading(f"reading the approval of {case_id}") as db:
            text = db.execute(
                select(approvals.c.document).where(approvals.c.case_id == case_id)
            ).scalar()
        return Approval.model_validate_json(text) if text else None

    def decide(
        self,
        case_id: str,
        state: ApprovalState,
        *,
        by: str,
        why: str,
        at: datetime,
    ) -> Approval | None:
        with self._database.writing(f"deciding {case_id}") as db:
            text = db.execute(
                select(approvals.c.document)
                .where(
                    approvals.c.case_id == case_id,
                    approvals.c.state == ApprovalState.WAITING.value,
                )
                .with_for_update()
            ).scalar()
            if text is None:
                return None
            answered = Approval.model_validate_json(text).decided(
                state, by=by, why=why, at=at
            )
            db.execute(
                approvals.update()
                .where(approvals.c.case_id == case_id)
                .values(**_row(answered))
            )
        return answered

    def about(self, key: str, *, since: datetime) -> tuple[Approval, ...]:
        query = (
            select(approvals.c.document)
            .where(approvals.c.key == key, approvals.c.asked_at >= since)
            .order_by(approvals.c.asked_at.desc())
        )
        with self._database.reading(f"reading the approvals of {key}") as db:
            texts = db.execute(query).scalars().all()
        return tuple(Approval.model_validate_json(text) for text in texts)

    def waiting(self) -> tuple[Approval, ...]:
        query = (
            select(approvals.c.document)
            .where(approvals.c.state == ApprovalState.WAITING.value)
            .order_by(approvals.c.asked_at)
        )
        with self._database.reading("reading the waiting approvals") as db:
            texts = db.execute(query).scalars().all()
        return tuple(Approval.model_validate_json(text) for text in texts)


def _row(request: Approval) -> dict[str, object]:
    return {
        "case_id": request.case_id,
        "key": request.subject.key,
        "state": request.state.value,
        "asked_at": request.asked_at,
        "document": request.model_dump_json(),
    }
