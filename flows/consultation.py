"""
What the healer would do with a slot now, and why not: evidence, diagnosis, brakes, ladder, plan, rehearsal. Nothing is touched, nothing is written.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from flows import clearance, examination, heal_measures, surroundings
from flows.examination import Examination
from flows.ward import Ward
from fournines.model.case import Case, Diagnosis, Subject
from fournines.model.refusal import Refusal
from fournines.planning import linter
from fournines.planning.plan import Plan
from healing import brakes, consent, ladder, rehearsal
from healing import plan as planning
from healing.ladder import Choice
from healing.rehearsal import Rehearsed
from healing.rungs import Rung
from tasks import case_report, leasing
from tasks import rehearsal as stage

LOOKS_MAX = 3
"""Looks until what was seen must do: a person waits for the answer."""

LOOK_AGAIN_SECONDS = 0.4
"""Pause between them."""

_DRY = "dry-run"
"""The case that is never opened."""


@dataclass(frozen=True, slots=True)
class Consultation:
    """
    Everything a healing would have come to, short of doing it.

    Attributes:
        objections: What the brakes say, in their order; empty means go.
        obstacles: What else would keep the plan from being performed: the linter's and the rehearsal's words.
        asks: Why a person would be asked first.
    """

    seen: Examination
    objections: tuple[Refusal, ...]
    choice: Choice
    plan: Plan
    rehearsed: Rehearsed | None
    obstacles: tuple[str, ...]
    asks: tuple[str, ...]

    @property
    def would_act(self) -> bool:
        """
        Whether the healer would change anything now, by itself.
        """
        free = not (self.objections or self.obstacles or self.asks)
        return free and bool(self.plan.steps)


def consult(ward: Ward, subject: Subject) -> Consultation:
    """
    Look at a slot as a healing would.

    Raises:
        SubjectUnknown: Nothing of ours bears that name.
        CloudUnreachable: Nothing could be looked at.
    """
    case = Case(id=_DRY, subject=subject, opened_at=ward.workshop.clock.now())
    seen = _look(ward, case)
    situation = dataclasses.replace(
        seen.situation,
        lease_holder=_holder(ward, subject),
        acting=surroundings.acting(ward, case),
    )
    diagnosis = seen.finding.diagnosis
    objections = clearance.relevant(diagnosis, brakes.objections(situation))
    choice = ladder.choose(
        diagnosis,
        situation,
        budget_left_ratio=heal_measures.budget_left_ratio(
            ward.metrics, platform=subject.platform, service=subject.service
        ),
    )
    plan = planning.make(choice, situation, case_id=_DRY)
    floors = {
        place.pool: situation.group.healing.min_healthy
        for place in situation.group.memberships
        if place.role is None
    }
    obstacles = [
        f"rule: {p}" for p in linter.problems(plan, situation.inventory, floors)
    ]
    rehearsed = None
    if plan.steps and not obstacles and choice.rung is not Rung.WATCH:
        rehearsed = stage.rehearse(
            plan,
            situation.inventory,
            (situation.service,),
            settings=ward.workshop.settings,
            quota=ward.workshop.cloud.quota(),
            pattern=situation.pattern,
        )
        broken = rehearsal.judge(rehearsed, floors, subject=subject.key)
        obstacles += [broken.detail] if broken else []
    return Consultation(
        seen=seen,
        objections=objections,
        choice=choice,
        plan=plan,
        rehearsed=rehearsed,
        obstacles=tuple(obstacles),
        asks=consent.reasons(plan, situation),
    )


def text(found: Consultation, *, why_not: bool = False) -> list[str]:
    """
    For people, a line each. With `why_not` only what speaks against acting, and every rung's word.
    """
    seen, choice = found.seen, found.choice
    lines = [
        (
            f"{seen.situation.subject.key} ({seen.situation.subject.instance}): "
            f"{seen.finding.diagnosis.value}"
        ),
        f"  {seen.finding.saw}",
    ]
    if seen.finding.cause:
        lines.append(f"  shared cause: {seen.finding.cause}")
    if not why_not:
        lines += ["evidence", *_evidence(seen)]
    lines += ["brakes", *(f"  {r.reason.value}: {r.detail}" for r in found.objections)]
    if not found.objections:
        lines.append("  none objects")
    lines += ["ladder", f"  {choice.rung.value}: {choice.why}"]
    said = case_report.said_once(choice.rejected)
    lines += [f"  not {rungs}: {why}" for rungs, why in said.items()]
    if not why_not and found.plan.steps:
        lines += ["plan", *(f"  {step.id}" for step in found.plan.steps)]
    if found.rehearsed is not None:
        lines += ["rehearsal", f"  {found.rehearsed.sentence()}"]
    lines += [f"  against: {obstacle}" for obstacle in found.obstacles]
    lines += [f"  a person is asked first: {reason}" for reason in found.asks]
    lines.append(_conclusion(found))
    return lines


def _evidence(seen: Examination) -> list[str]:
    evidence = seen.evidence
    facts = [
        (
            f"  cloud: {evidence.instance_status}; load balancer: "
            f"{evidence.operating_status}, weight {evidence.weight}"
        )
    ]
    facts += [
        f"  {probe.path} {probe.status or probe.answer.value} in {probe.seconds:.3f} s"
        for probe in evidence.probes
    ]
    if seen.situation.pattern is not None:
        share = seen.situation.pattern.share
        facts.append(f"  unwell on the whole platform: {share} members")
    return facts


def _conclusion(found: Consultation) -> str:
    if found.would_act:
        return f"would {found.choice.rung.value} now; nothing was touched"
    if found.seen.finding.diagnosis is Diagnosis.NOTHING:
        return "would do nothing: nothing is wrong; nothing was touched"
    if found.choice.rung is Rung.PAGE and not found.objections:
        return "would call a person; nothing was touched"
    held = tuple(dict.fromkeys(one.reason.value for one in found.objections))
    # What comes first keeps it back first; all of it stands above.
    why = ", ".join(held or found.obstacles or found.asks or ("no step is needed",))
    return f"would do nothing by itself now ({why}); nothing was touched"


def _look(ward: Ward, case: Case) -> Examination:
    seen = examination.examine(ward, case)
    for _ in range(LOOKS_MAX - 1):
        if not seen.finding.again:
            break
        ward.workshop.clock.sleep(LOOK_AGAIN_SECONDS)
        seen = examination.examine(ward, case, earlier=seen.evidence)
    return seen


def _holder(ward: Ward, subject: Subject) -> str | None:
    """
    Who works on the service now, read without taking anything. Healings share it among themselves.
    """
    name = leasing.of_service(subject.platform, subject.service)
    lease = ward.workshop.store.leases.current(name)
    if lease is None or lease.purpose.startswith("healing"):
        return None
    return f"{lease.purpose} by {lease.holder}"
