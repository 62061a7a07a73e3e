"""
What a remedy does besides its plan: it may change what is asked for, and a case may be one of several with one cause.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from pydantic import JsonValue

from flows.case_book import CaseBook
from flows.ward import Ward
from fournines.model.case import Case
from fournines.model.desired import Platform, Service
from fournines.planning.plan import Plan
from healing import plan as planning
from healing.diagnosis.finding import Finding
from healing.rungs import Rung
from healing.situation import Situation
from tasks import deployment

WISH = "wish"
"""Its name among a case's evidence: what the case has asked for, and by which plan it is to come about."""

SAME_STORY = timedelta(minutes=10)
"""Cases of one cause that were opened within this time tell one story."""


def ask_for(
    ward: Ward, book: CaseBook, wanted: Platform, situation: Situation, plan: Plan
) -> None:
    """
    Write into the registry what is asked for from now on, before the first step: a crash must not bring the old wish back.

    The case is told first: whoever takes it up between this and the plan's beginning goes on towards this wish, and asks for no second one.
    """
    service = situation.service.name
    asked = wanted.service(service)
    told: dict[str, JsonValue] = {"plan": plan.id, "digest": _digest(asked)}
    book.keep(**{WISH: told})
    deployment.record_desired(ward.workshop, wanted, service)
    sizes = {g.name: g.count for g in asked.groups}
    book.note(
        "asked_for",
        f"{service} from now on: {asked.blueprint_version}, "
        + ", ".join(f"{name} x {count}" for name, count in sizes.items())
        + "; the platform file holds again at its next deploy",
    )


def unbegun(ward: Ward, case: Case) -> tuple[Rung, Platform] | None:
    """
    A wish of this case that stands in the registry and whose plan was never begun, with its rung.
    """
    told = case.evidence.get(WISH)
    if not isinstance(told, dict):
        return None
    plan_id = str(told["plan"])
    if ward.workshop.store.journal.plan(plan_id) is not None:
        return None
    platform = ward.workshop.store.registry.platform(case.subject.platform)
    if platform is None:
        return None
    known = {service.name: service for service in platform.services}
    service = known.get(case.subject.service)
    if service is None or _digest(service) != told["digest"]:
        return None
    return planning.rung_called(plan_id), platform


def _digest(service: Service) -> str:
    return hashlib.sha256(service.model_dump_json().encode()).hexdigest()


def common_cause(ward: Ward, case: Case, finding: Finding) -> dict[str, str | None]:
    """
    The fields of a case that shares its cause: the first case that named it tells the story. Ask under the ward's gate.
    """
    if finding.cause is None:
        return {"cause": None, "leader": None}
    since = case.opened_at - SAME_STORY
    others = [
        other
        for other in ward.workshop.store.cases.cases(since=since, limit=1_000)
        if other.cause == finding.cause
        and other.subject.platform == case.subject.platform
        and other.leader is None
        and other.id != case.id
    ]
    first = min(others, key=lambda one: (one.opened_at, one.id), default=None)
    return {"cause": finding.cause, "leader": first.id if first else None}
