"""
A case as people read it: who, what, why, evidence, plan, rejected rungs, steps with their times, verdict. Built from the store alone.

The command line draws it as tables, flows as Markdown; both show the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from fournines.model.case import Case
from fournines.model.value import Value
from fournines.planning import costs
from fournines.planning.plan import Plan
from fournines.store.protocol import JournalEntry, Store

MONTH_BUDGET_SECONDS = 259.2
"""What 99.99 % over 30 days leaves."""

_TOLD_ELSEWHERE = frozenset({"rejected", "plan", "console"})
_DEPTH_MAX = 2


class StepRow(Value):
    """
    One step: what was expected, what it took.

    Attributes:
        began_after_seconds: Since the fault; None while it has not begun.
        took_seconds: None while it is not done.
    """

    step: str
    kind: str
    state: str
    why: str = ""
    began_after_seconds: float | None = None
    expected_seconds: float | None = None
    took_seconds: float | None = None
    error: str | None = None


class CaseReport(Value):
    """
    One case and what the journal knows of its last plan.
    """

    case: Case
    facts: dict[str, str]
    evidence: dict[str, str]
    rejected: dict[str, str]
    steps: tuple[StepRow, ...] = ()

    @property
    def predicted_seconds(self) -> float | None:
        """
        What the steps that were done were expected to take, one after the other.
        """
        done = [s.expected_seconds for s in self.steps if s.took_seconds is not None]
        return _total(done)

    @property
    def actual_seconds(self) -> float | None:
        """
        What they took.
        """
        return _total([s.took_seconds for s in self.steps])


def read(store: Store, case: Case) -> CaseReport:
    """
    The report of a case as it stands.
    """
    plan = store.journal.plan(case.plan_id) if case.plan_id else None
    entries = store.journal.entries(case.plan_id) if case.plan_id else ()
    return of(case, plan, entries)


def of(
    case: Case, plan: Plan | None = None, entries: tuple[JournalEntry, ...] = ()
) -> CaseReport:
    """
    The report of a case and its last plan.
    """
    rejected = case.evidence.get("rejected")
    return CaseReport(
        case=case,
        facts=_facts(case),
        evidence=_evidence(case),
        rejected={k: str(v) for k, v in rejected.items()}
        if isinstance(rejected, dict)
        else {},
        steps=_steps(case, plan, entries),
    )


def said_once(rejected: Mapping[str, str]) -> dict[str, str]:
    """
    Rungs that were not taken for one and the same reason stand together, and the reason once: "watch, leave" -> why.
    """
    together: dict[str, list[str]] = {}
    for rung, why in rejected.items():
        together.setdefault(why, []).append(rung)
    return {", ".join(rungs): why for why, rungs in together.items()}


def begin_of(case: Case) -> datetime:
    """
    The moment everything is counted from.
    """
    return case.fault_at or case.opened_at


def _facts(case: Case) -> dict[str, str]:
    begin = begin_of(case)
    budget = case.budget_seconds
    found = {
        "who": case.subject.instance or case.subject.key,
        "place": case.subject.key,
        "woken by": ", ".join(case.woken_by) or "nobody",
        "what": case.diagnosis.value if case.diagnosis else "not yet known",
        "cause": case.cause or "",
        "told in": case.leader or "",
        "fault": f"{begin:%Y-%m-%d %H:%M:%S} UTC",
        "detected": _after(begin, case.detected_at),
        "first action": _after(begin, case.first_action_at),
        "out of the pool": _after(begin, case.out_of_pool_at),
        "redundancy again": _after(begin, case.redundancy_at),
        "closed": _after(begin, case.closed_at),
        "budget spent": ""
        if budget is None
        else f"{budget:.3f} s of full outage ({budget / MONTH_BUDGET_SECONDS:.3%} of a month's)",
        "plan": case.plan_id or "",
        "Prefect run": case.flow_run_id or "",
    }
    return {name: text for name, text in found.items() if text}


def _evidence(case: Case) -> dict[str, str]:
    """
    Evidence as lines: nested facts by their path, absent ones left out.
    """
    found: dict[str, str] = {}
    for name, value in case.evidence.items():
        if name not in _TOLD_ELSEWHERE:
            _flatten(name, value, found, depth=0)
    return found


def _flatten(name: str, value: JsonValue, into: dict[str, str], *, depth: int) -> None:
    if value is None or value in ("", [], {}):
        return
    if isinstance(value, dict) and depth < _DEPTH_MAX:
        for key, inner in value.items():
            _flatten(f"{name} {key.replace('_', ' ')}", inner, into, depth=depth + 1)
    elif isinstance(value, list):
        into[name] = "; ".join(_short(one) for one in value)
    else:
        into[name] = _short(value)


def _short(value: JsonValue) -> str:
    """
    One fact on one line; a probe as "/page 500 in 0.012 s".
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    if not isinstance(value, dict):
        return str(value)
    if "path" in value and "answer" in value:
        seconds = value.get("seconds")
        took = f" in {seconds:.3f} s" if isinstance(seconds, float | int) else ""
        return f"{value['path']} {value.get('status') or value['answer']}{took}"
    return ", ".join(f"{k} {_short(v)}" for k, v in value.items() if v is not None)


def _steps(
    case: Case, plan: Plan | None, entries: tuple[JournalEntry, ...]
) -> tuple[StepRow, ...]:
    if plan is None:
        return ()
    begin = begin_of(case)
    told = {entry.step_id: entry for entry in entries}
    rows = []
    for step in plan.steps:
        entry = told.get(step.id)
        ended = entry.ended_at if entry else None
        rows.append(
            StepRow(
                step=step.id,
                kind=step.kind,
                state=entry.state.value if entry else "waiting",
                why=step.why,
                began_after_seconds=_seconds(
                    begin, entry.intended_at if entry else None
                ),
                expected_seconds=round(costs.expected_seconds(step), 2),
                took_seconds=_seconds(entry.intended_at, ended) if entry else None,
                error=entry.error if entry else None,
            )
        )
    return tuple(
        sorted(
            rows,
            key=lambda r: (r.began_after_seconds is None, r.began_after_seconds or 0.0),
        )
    )


def _after(begin: datetime, moment: datetime | None) -> str:
    seconds = _seconds(begin, moment)
    return "" if seconds is None else f"{seconds:.2f} s after the fault"


def _seconds(begin: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else round((moment - begin).total_seconds(), 3)


def _total(seconds: list[float | None]) -> float | None:
    known = [one for one in seconds if one is not None]
    return round(sum(known), 2) if known else None
