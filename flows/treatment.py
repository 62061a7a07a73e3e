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
    case_moments,
    case_text,
    clearance,
    consenting,
    endings,
    examination,
    findings,
    heal_measures,
    places,
    rehearsing,
    remedies,
    room,
    soak,
    strikes,
)
from flows.case_book import CaseBook
from flows.examination import Examination
from flows.places import SubjectUnknown
from flows.tries import Tries
from flows.ward import Move, Ward
from fournines.cloud.errors import (
    CapacityMissing,
    CloudBusy,
    CloudError,
    CloudUnreachable,
    QuotaExceeded,
)
from fournines.model.case import Case, CaseState, Diagnosis, Subject
from fournines.model.refusal import Reason, Refusal
from fournines.planning import linter
from fournines.planning.plan import Plan
from fournines.planning.steps import Step
from fournines.store.protocol import LeaseHeld
from healing import consent, ladder, service_plans
from healing import plan as planning
from healing.rungs import WEIGHTS, Rung
from healing.situation import Situation
from tasks import execution, perform
from tasks.execution import Outcome, Performer
from tasks.leasing import Holding

LOOKS_MAX = 8
"""Examinations until a diagnosis must stand; about six seconds with their pauses."""

LOOK_AGAIN_SECONDS = 0.4
"""Pause between examinations that could not tell."""

RUNGS_MAX = 3
"""Remedies tried in one case before a person is called."""


_GENTLE = frozenset({Rung.WATCH, Rung.LEAVE})
"""Rungs that give a weight back and heal nothing: they are no attempt."""


@dataclass(slots=True)
class Treatment:
    """
    One case under treatment.

    Attributes:
        early: A first examination that somebody began already.
        move: The first move that was made on the alert's word, done or under way.
        failed: Rungs that did not help; broken: rungs whose plan broke off.
        spoiled: Replacements that never served.
        troubles: Errors met by the plan under way.
    """

    ward: Ward
    book: CaseBook
    performer: Performer = execution.at_once
    early: Future[Examination] | None = None
    move: Future[Move] | None = None
    failed: tuple[Rung, ...] = ()
    broken: tuple[Rung, ...] = ()
    spoiled: frozenset[str] = frozenset()
    no_room: bool = False
    troubles: list[CloudError] = field(default_factory=list)

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
        known = Tries.of(self.book.case)
        self.failed, self.broken = known.failed, known.broken
        self.spoiled, self.no_room = known.spoiled, known.no_room
        resumed = self._resume()
        if resumed is not None:
            return resumed
        for _ in range(RUNGS_MAX):
            seen = self._after_the_move(self._examine())
            if seen.finding.diagnosis in {Diagnosis.BLIND, Diagnosis.UNKNOWN}:
                return self._give_up(seen)
            with ExitStack() as stack:
                ready = clearance.obtain(
                    self.ward, self.book, seen, stack, spoiled=self.spoiled
                )
                if ready is None:
                    return endings.refused(self.ward, self.book)
                seen, held = ready
                closed = self._take_rung(seen, held)
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

    # -- acting

    def _take_rung(self, seen: Examination, held: Holding) -> Case | None:
        """
        One rung, performed and verified. None: it did not help.
        """
        choice = ladder.choose(
            seen.finding.diagnosis,
            seen.situation,
            failed=self.failed,
            no_room=self.no_room,
            budget_left_ratio=heal_measures.budget_left_ratio(
                self.ward.metrics,
                platform=seen.situation.subject.platform,
                service=seen.situation.subject.service,
            ),
        )
        self.book.refuse(choice.refusals)
        self.book.keep(rejected=dict(choice.rejected))
        if choice.rung is Rung.PAGE:
            if seen.finding.diagnosis is Diagnosis.BALANCER:
                # The member itself is well: whoever is called must not find it left out as well.
                back = choice.model_copy(update={"rung": Rung.WATCH})
                give = planning.make(back, seen.situation, case_id=self.book.case.id)
                self._perform(give, held)
            return self._page(f"{choice.why} ({seen.finding.saw})")
        plan = planning.make(choice, seen.situation, case_id=self.book.case.id)
        floors = {
            place.pool: seen.situation.group.healing.min_healthy
            for place in seen.situation.group.memberships
            if not consent.takes_the_last(plan, seen.situation)
        }
        problems = linter.problems(plan, seen.situation.inventory, floors)
        if problems:
            return self._page(f"the plan breaks a rule: {problems[0]}")
        if self._is_crowded(choice.rung, plan, seen.situation):
            return None
        broken = rehearsing.broken_law(
            self.ward, self.book, plan, seen.situation, floors
        )
        if broken is not None:
            self._not_as_rehearsed(choice.rung, *broken)
            return None
        asked = consenting.stands_in_the_way(
            self.ward, self.book, seen.situation, plan, choice
        )
        if asked is not None:
            return asked
        self.book.change(
            "planned",
            f"{choice.rung.value}: {choice.why}",
            plan_id=plan.id if plan.steps and choice.rung not in _GENTLE else None,
        )
        self.book.keep(plan=[step.id for step in plan.steps])
        self.book.publish("plan", case_text.plan_of(plan, choice.why, choice.rejected))
        wanted = service_plans.desired(choice.rung, seen.situation)
        if wanted is not None:
            remedies.ask_for(self.ward, self.book, wanted, seen.situation)
        outcome = self._perform(plan, held)
        target = (
            planning.arriving(plan, seen.situation.subject.slot)
            or seen.situation.subject.instance
        )
        subject = seen.situation.subject.model_copy(update={"instance": target})
        soak_seconds = seen.situation.group.healing.soak_seconds
        rehearsing.compare(self.book, outcome)
        closed = self._judge(choice.rung, outcome, subject, soak_seconds)
        if choice.rung in {Rung.REPLACE, Rung.SHIFT} and target is not None:
            store = self.ward.workshop.store
            good = closed is not None or (False if choice.rung in self.failed else None)
            strikes.learn(store, self.book, seen.situation, outcome, target, good=good)
        return closed

    def _is_crowded(self, rung: Rung, plan: Plan, situation: Situation) -> bool:
        """
        Whether the cloud has no room for what the plan makes: then nothing of it is begun.
        """
        refusals = room.missing(self.ward.workshop, plan, situation.inventory)
        if not refusals:
            return False
        self.book.refuse(refusals)
        self.no_room = True
        if rung not in {Rung.REPLACE, Rung.SHIFT}:
            self.failed = (*self.failed, rung)
        self._keep_tries()
        self.book.set(state=CaseState.DIAGNOSED)
        return True

    def _not_as_rehearsed(self, rung: Rung, refusal: Refusal, no_room: bool) -> None:  # noqa: FBT001  as it was found
        """
        The plan would have failed: nothing was done, and the next rung is asked for.
        """
        self.book.refuse((refusal,))
        self.no_room = self.no_room or no_room
        if not no_room:
            self.failed = (*self.failed, rung)
        self._keep_tries()
        self.book.set(state=CaseState.DIAGNOSED)

    def _perform(self, plan: Plan, held: Holding) -> Outcome:
        self.troubles.clear()
        return execution.execute(
            plan,
            self.ward.workshop,
            holder=held.holder,
            guard=partial(clearance.check, held, self.book),
            rights=lambda: (*held.rights(), *self.book.rights()),
            performer=self._remembering,
            watch=partial(case_moments.step, self.book, self.ward.workshop.clock),
        )

    def _remembering(self, step: Step, work: execution.Work) -> perform.Facts:
        """
        Performs a step and remembers what kind of error it met.
        """
        try:
            return self.performer(step, work)
        except CloudError as error:
            self.troubles.append(error)
            raise

    def _judge(
        self, rung: Rung, outcome: Outcome, subject: Subject, soak_seconds: float
    ) -> Case | None:
        if outcome.lost:
            raise LeaseHeld(outcome.lost)
        if not outcome.ok:
            self._failed(rung, outcome, subject)
            return None
        if rung is Rung.LEAVE:
            return endings.left(self.ward, self.book)
        self.book.change(
            "verifying", f"watching {subject.instance}", state=CaseState.VERIFYING
        )
        look = soak.watch(
            self.ward,
            self.book,
            subject,
            soak_seconds=soak_seconds,
            patience_seconds=WEIGHTS[rung].patience_seconds,
            through_front=rung is Rung.FAIL_OVER,
        )
        self.book.keep(after=look.saw)
        if look.good:
            return endings.recovered(self.ward, self.book, rung, subject, look.saw)
        unseen = look.good is None
        self.book.note(
            "not_seen" if unseen else "did_not_help", f"{rung.value}: {look.saw}"
        )
        if rung not in _GENTLE and not unseen:
            self.failed = (*self.failed, rung)
        self._keep_tries()
        self.book.set(state=CaseState.DIAGNOSED, subject=subject)
        return None

    def _failed(self, rung: Rung, outcome: Outcome, subject: Subject) -> None:
        """
        The plan broke off. Errors that say nothing about the rung leave the case to be tried again; a replacement that never served
        is tried once more, with another instance.
        """
        self.book.note("plan_failed", outcome.sentence())
        self.book.set(state=CaseState.DIAGNOSED)
        if any(isinstance(e, QuotaExceeded | CapacityMissing) for e in self.troubles):
            self.no_room = True
        elif any(isinstance(e, CloudUnreachable | CloudBusy) for e in self.troubles):
            raise CloudUnreachable(f"performing {outcome.plan_id}", outcome.sentence())
        if self.broken.count(rung) or rung is not Rung.REPLACE or self.no_room:
            self.failed = (*self.failed, rung)
        self.broken = (*self.broken, rung)
        if subject.instance and subject.instance != self.book.case.subject.instance:
            self.spoiled |= {subject.instance}
        self._keep_tries()

    def _keep_tries(self) -> None:
        tries = Tries(self.failed, self.broken, self.spoiled, self.no_room)
        self.book.keep(tried=tries.evidence())

    def _resume(self) -> Case | None:
        """
        After a crash: the plan that was under way is performed to its end, then verified. None: begin with fresh eyes.
        """
        case = self.book.case
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
            outcome = Outcome(plan_id=plan.id)
            if plan.id in unfinished:
                outcome = self._perform(plan, held)
            seconds = self._soak_seconds(subject)
            return self._judge(planning.rung_of(plan), outcome, subject, seconds)

    def _soak_seconds(self, subject: Subject) -> float:
        place = places.find(self.ward.workshop.store.registry, subject)
        return place.group.healing.soak_seconds

    # -- ending

    def _page(self, why: str) -> Case:
        return endings.page(self.ward, self.book, why)

    def _give_up(self, seen: Examination) -> Case:
        choice = ladder.choose(seen.finding.diagnosis, seen.situation)
        self.book.refuse(choice.refusals)
        return self._page(f"{choice.why} ({seen.finding.saw})")
