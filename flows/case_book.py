"""
Writing a case down as it happens: every event is committed, logged, and kept for the table that people see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from flows import case_text
from fournines import log
from fournines.model.case import Case, CaseEvent, CaseState, Subject
from fournines.model.refusal import Refusal
from fournines.store.protocol import Lease, Store
from healing import plan as planning
from tasks import case_report
from tasks.leasing import Holding
from tasks.workshop import Workshop

EVENTS_MAX = 500
"""A case that waits for hours must not grow without end."""

_log = log.get("healing")

Publish = Callable[[str, str], None]
"""Shows a text of a kind (plan, evidence, verdict) to people while it happens."""


def case_id(subject: Subject, opened_at: datetime) -> str:
    """
    The id of a case: the same subject and moment give the same id.
    """
    text = f"{subject.key}@{opened_at.isoformat()}"
    return f"case-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def publish_nothing(_kind: str, _markdown: str) -> None:
    """
    Nobody watches.
    """


case_right: ContextVar[Holding | None] = ContextVar("case_right", default=None)
"""The lease on the case that is treated here: whoever lost it writes nothing more into the case."""


class CaseBook:
    """
    One case being written. Thread-safe.
    """

    def __init__(
        self, workshop: Workshop, case: Case, publish: Publish = publish_nothing
    ) -> None:
        self._store: Store = workshop.store
        self._clock = workshop.clock
        self._case = case
        self._lock = workshop.crew.lock()
        self._right = case_right.get()
        self._also: tuple[Lease, ...] = ()
        self.publish = publish

    @property
    def case(self) -> Case:
        """
        The case as it stands.
        """
        with self._lock:
            return self._case

    @contextmanager
    def under(self, lease: Lease) -> Iterator[None]:
        """
        What is written in this block needs this lease too.
        """
        self._also = (lease,)
        try:
            yield
        finally:
            self._also = ()

    def note(self, event: str, text: str, /, **facts: JsonValue) -> None:
        """
        Something happened.
        """
        self._write({}, event, text, facts)

    def record(self, event: str, text: str) -> None:
        """
        As `note`, for what somebody else has logged already.
        """
        told = CaseEvent(at=self._clock.now(), event=event, text=text)
        with self._lock:
            self.set(events=(*self._case.events, told)[-EVENTS_MAX:])

    def change(self, event: str, text: str, /, **fields: Any) -> None:
        """
        Something happened that changes what the case says of itself.
        """
        self._write(fields, event, text, {})

    def set(self, **fields: Any) -> None:
        """
        A silent change: times and evidence.
        """
        with self._lock:
            changed = self._case.model_copy(update=fields)
            self._store.cases.put(changed, rights=self.rights())
            self._case = changed

    def first(self, field: str, at: datetime) -> None:
        """
        Keep the earliest of the moments that are told; news of the first may come last.
        """
        with self._lock:
            known: datetime | None = getattr(self._case, field)
            if known is None or at < known:
                self.set(**{field: at})

    def keep(self, **evidence: JsonValue) -> None:
        """
        Add evidence.
        """
        with self._lock:
            self.set(evidence=self._case.evidence | evidence)

    def refuse(self, refusals: tuple[Refusal, ...]) -> None:
        """
        Add refusals that are new to the case.
        """
        with self._lock:
            known = {(r.reason, r.subject) for r in self._case.refusals}
            new = [r for r in refusals if (r.reason, r.subject) not in known]
            if not new:
                return
            self.set(refusals=(*self._case.refusals, *new))
        for refusal in new:
            self.note("refused", refusal.detail, reason=refusal.reason.value)

    def close(self, state: CaseState, verdict: str, **fields: Any) -> Case:
        """
        The end, of the case and of whatever plan of it was left open.
        """
        now = self._clock.now()
        journal = self._store.journal
        for left in journal.unfinished():
            if left.id.startswith(planning.prefix(self._case.id)):
                journal.close_plan(
                    left.id,
                    outcome="broke off; the case went on without it",
                    at=now,
                    rights=self.rights(),
                )
        self.change(
            "case_closed",
            verdict,
            state=state,
            verdict=verdict,
            closed_at=now,
            **fields,
        )
        self.show("verdict", self._verdict)
        return self.case

    def show(self, kind: str, render: Callable[[], str]) -> None:
        """
        A text for whoever watches; written only then.
        """
        if self.publish is not publish_nothing:
            self.publish(kind, render())

    def _verdict(self) -> str:
        return case_text.verdict(self.case, case_report.read(self._store, self.case))

    def check(self) -> None:
        """
        Raises LeaseHeld once somebody else treats the case.
        """
        if self._right is not None:
            self._right.check()

    def rights(self) -> tuple[Lease, ...]:
        """
        What writes about this case stand on.
        """
        return (*(self._right.rights() if self._right else ()), *self._also)

    def _write(
        self,
        fields: dict[str, Any],
        event: str,
        text: str,
        facts: dict[str, JsonValue],
    ) -> None:
        told = CaseEvent(at=self._clock.now(), event=event, text=text, facts=facts)
        with self._lock:
            events = (*self._case.events, told)[-EVENTS_MAX:]
            self.set(events=events, **fields)
        _log.info(event, case=self._case.id, text=text, **facts)
