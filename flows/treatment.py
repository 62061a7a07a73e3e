"""
Healing one case, from evidence to verdict: examine, diagnose, ask the brakes, choose a rung, plan, perform, verify.

A plain body: it runs inside a Prefect flow and without Prefect, and may be begun again at any point after a crash. What it knows of earlier
tries stands in the case and in the journal. It raises only when nothing can be said now (the cloud or the store cannot be reached);
the case is open then, and whoever called tries again.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import structlog

from flows import (
    again,
    case_moments,
    clearance,
    consenting,
    endings,
    examination,
    findings,
    making_room,
    places,
    remedies,
)
from flows.case_book import CaseBook
from flows.examination import Examination
from flows.places import SubjectUnknown
from flows.trial import Trial
from flows.tries import Tries
from flows.ward import Move, Ward
from fournines.model.case import Case, CaseState, Diagnosis, Subject
from fournines.model.desired import Platform
from fournines.model.refusal import Reason, Refusal
from healing import brakes, ladder
from healing import plan as planning
from healing.diagnosis.kinds import A_PERSONS
from healing.rungs import Rung
from tasks import execution
from tasks.execution import Performer
from tasks.outcome import Outcome

LOOKS_MAX = 8
"""Examinations until a diagnosis must stand; about six seconds with their pauses."""

LOOK_AGAIN_SECONDS = 0.4
"""Pause between examinations that could not tell."""

RUNGS_MAX = 3
"""Remedies tried in one case before a person is called."""


@dataclass(slots=True)
class Treatment:
    """
    One case under treatment.

    Attributes:
        early: A first examination that somebody began already.
        move: The first move that was made on the alert's word, done or under way.
    """

    ward: Ward
    book: CaseBook
    performer: Performer = execution.at_once
    early: Future[Examination] | None = None
    move: Future[Move] | None = None
    trial: Trial = field(init=False)

    def __post_init__(self) -> None:
        self.trial = Trial(self.ward, self.book, self.performer)

    def run(self) -> Case:
        """
        Until the case is closed.

        Raises:
            CloudUnreachable: Nothing could be looked at; the case stays open.
            StoreError: Nothing can be written down.
        """
        with structlog.contextvars.bound_contextvars(
            case=self.book.case.id, subject=self.book.case.subject.key
        ):
            self.move = self.ward.first_move(self.book.case.subject.instance)
            if self.move is not None:
                self.move.add_done_callback(partial(case_moments.first_move, self.book))
            try:
                return self._treat()
            except SubjectUnknown as error:
                refusal = Refusal(
                    reason=Reason.NOT_OURS,
                    detail=str(error),
                    subject=self.book.case.subject.key,
                )
                self.book.refuse((refusal,))
                return self.book.close(CaseState.REFUSED, refusal.detail)

    def _treat(self) -> Case:
        if consenting.waiting(self.ward.workshop, self.book.case):
            return self.book.case
        self.trial.tries = Tries.of(self.book.case)
        resumed = self._resume()
        if resumed is not None:
            return resumed
        for _ in range(RUNGS_MAX):
            seen = self._after_the_move(self._examine())
            if self._is_a_persons(seen):
                return self._give_up(seen)
            making_room.first(self.ward, self.book)
            with ExitStack() as stack:
                ready = clearance.obtain(
                    self.ward, self.book, seen, stack, spoiled=self.trial.tries.spoiled
                )
                if ready is None:
                    return endings.refused(self.ward, self.book)
                seen, held = ready
                closed = self.trial.take(seen, held)
            if closed is not None:
                return closed
        return self._page("no remedy helped")

    # -- knowing

    def _after_the_move(self, seen: Examination) -> Examination:
        """
        A first move that took effect after the look has to be seen before its weight is given back, or the member stays left out.
        """
        if self.move is None:
            return seen
        move, self.move = self.move.result(), None
        well = seen.finding.diagnosis is Diagnosis.NOTHING
        if well and move.done_at >= seen.situation.inventory.at:
            return self._examine()
        return seen

    def _examine(self) -> Examination:
        early, self.early = self.early, None
        seen = (
            early.result()
            if early is not None
            else examination.examine(self.ward, self.book.case)
        )
        for _ in range(LOOKS_MAX):
            unsure = seen.finding.again or seen.finding.diagnosis is Diagnosis.BLIND
            if not unsure:
                break
            self.ward.workshop.clock.sleep(LOOK_AGAIN_SECONDS)
            seen = examination.examine(self.ward, self.book.case, earlier=seen.evidence)
        findings.write_down(self.ward, self.book, seen)
        return seen

    # -- going on

    def _resume(self) -> Case | None:
        """
        After a crash: the plan that was under way is performed to its end, then verified. None: begin with fresh eyes.
        """
        case = self.book.case
        wish = remedies.unbegun(self.ward, case)
        if wish is not None:
            return self._finish(*wish)
        journal = self.ward.workshop.store.journal
        plan = journal.plan(case.plan_id) if case.plan_id else None
        unfinished = {open_plan.id for open_plan in journal.unfinished()}
        if plan is None or case.state not in {CaseState.ACTING, CaseState.VERIFYING}:
            return None
        target = planning.arriving(plan, case.subject.slot) or case.subject.instance
        subject = case.subject.model_copy(update={"instance": target})
        self.book.note("adopted", f"taken up again after a crash: {plan.id}")
        with ExitStack() as stack:
            held = clearance.lease_again(self.ward, subject, stack)
            if held is None:
                self.book.note("busy", "somebody else works on the service")
                return None
            place = places.find(self.ward.workshop.store.registry, subject)
            if not planning.is_asked_for(plan, place.service):
                self.book.note(
                    "outdated", f"{plan.id}: something else is asked for now"
                )
                return None
            outcome = Outcome(plan_id=plan.id)
            if plan.id in unfinished and not again.has_helped(
                self.ward, self.book, plan, held
            ):
                outcome = self.trial.execute(plan, held)
            seconds = self._soak_seconds(subject)
            return self.trial.judge(planning.rung_of(plan), outcome, subject, seconds)

    def _finish(self, rung: Rung, wanted: Platform) -> Case | None:
        """
        The healer died between writing down what is asked for and its plan. None: begin with fresh eyes.
        """
        self.book.note("adopted", f"asked for before a crash, not begun: {rung.value}")
        seen = self._after_the_move(self._examine())
        with ExitStack() as stack:
            held = clearance.lease_again(self.ward, seen.situation.subject, stack)
            if held is None:
                self.book.note("busy", "somebody else works on the service")
                return None
            if remedies.unbegun(self.ward, self.book.case) is None:
                self.book.note("outdated", "something else is asked for now")
                return None
            self.book.set(state=CaseState.ACTING)
            return self.trial.finish(rung, wanted, seen, held)

    def _soak_seconds(self, subject: Subject) -> float:
        place = places.find(self.ward.workshop.store.registry, subject)
        return place.group.healing.soak_seconds

    # -- ending

    def _page(self, why: str) -> Case:
        return endings.page(self.ward, self.book, why)

    def _is_a_persons(self, seen: Examination) -> bool:
        """
        Whether a person is called at once: nothing will be changed, so there is no lease, cool-down or other healing to wait for.
        """
        diagnosis = seen.finding.diagnosis
        if diagnosis in {Diagnosis.BLIND, Diagnosis.UNKNOWN}:
            return True
        if diagnosis not in A_PERSONS:
            return False
        against = clearance.relevant(diagnosis, brakes.objections(seen.situation))
        return all(refusal.reason in brakes.WAITING for refusal in against)

    def _give_up(self, seen: Examination) -> Case:
        choice = ladder.choose(seen.finding.diagnosis, seen.situation)
        self.book.refuse(choice.refusals)
        return self._page(f"{choice.why} ({seen.finding.saw})")
