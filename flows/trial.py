"""
One rung of the ladder, tried: chosen, rehearsed, performed, and judged by fresh measurements.

What was tried before decides what is chosen next; it stands in the case, so that a trial may be begun again after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from flows import (
    case_moments,
    case_text,
    clearance,
    consenting,
    endings,
    heal_measures,
    outage,
    rehearsing,
    remedies,
    room,
    soak,
    strikes,
)
from flows.case_book import CaseBook
from flows.examination import Examination
from flows.tries import TRIED, Tries
from flows.ward import Ward
from fournines.cloud.errors import (
    CapacityMissing,
    CloudBusy,
    CloudError,
    CloudUnreachable,
    QuotaExceeded,
)
from fournines.model.case import Case, CaseState, Diagnosis, Subject
from fournines.model.desired import Platform
from fournines.model.refusal import Refusal
from fournines.planning import linter
from fournines.planning.plan import Plan
from fournines.planning.steps import Step
from fournines.store.protocol import LeaseHeld
from healing import consent, ladder, service_plans
from healing import plan as planning
from healing.ladder import Choice
from healing.rungs import WEIGHTS, Rung
from healing.situation import Situation
from tasks import execution, perform
from tasks.execution import Performer
from tasks.leasing import Holding
from tasks.outcome import Outcome

_GENTLE = frozenset({Rung.WATCH, Rung.LEAVE})
"""Rungs that give a weight back and heal nothing: they are no attempt."""

_MAKING = frozenset({Rung.REPLACE, Rung.SHIFT})
"""Rungs that make an instance, which says something about its build."""


@dataclass(slots=True)
class Trial:
    """
    The trials of one case, one after another.

    Attributes:
        tries: What was tried so far.
        troubles: Errors met by the plan under way.
    """

    ward: Ward
    book: CaseBook
    performer: Performer = execution.at_once
    tries: Tries = field(default_factory=Tries)
    troubles: list[CloudError] = field(default_factory=list)

    def take(self, seen: Examination, held: Holding) -> Case | None:
        """
        One rung, performed and verified. None: it did not help.
        """
        situation = seen.situation
        choice = self._choose(seen)
        if choice.rung is Rung.PAGE:
            return self._page(choice, seen, held)
        plan = planning.make(choice, situation, case_id=self.book.case.id)
        floors = {
            place.pool: situation.group.healing.min_healthy
            for place in situation.group.memberships
            if place.role is None and not consent.takes_the_last(plan, situation)
        }
        problems = linter.problems(plan, situation.inventory, floors)
        if problems:
            return endings.page(
                self.ward, self.book, f"the plan breaks a rule: {problems[0]}"
            )
        outage.hold(self.ward, self.book, plan, partial(self.execute, held=held))
        if self._is_crowded(choice.rung, plan, situation):
            return None
        broken = rehearsing.broken_law(self.ward, self.book, plan, situation, floors)
        if broken is not None:
            self._not_as_rehearsed(choice.rung, *broken)
            return None
        asked = consenting.stands_in_the_way(
            self.ward, self.book, situation, plan, choice
        )
        if asked is not None:
            return asked
        self._announce(choice, plan, situation)
        outcome = self.execute(plan, held)
        target = (
            planning.arriving(plan, situation.subject.slot)
            or situation.subject.instance
        )
        subject = situation.subject.model_copy(update={"instance": target})
        rehearsing.compare(self.book, outcome)
        soak_seconds = situation.group.healing.soak_seconds
        closed = self.judge(choice.rung, outcome, subject, soak_seconds)
        if choice.rung in _MAKING and target is not None:
            failed = choice.rung in self.tries.failed
            good = closed is not None or (False if failed else None)
            store = self.ward.workshop.store
            strikes.learn(store, self.book, situation, outcome, target, good=good)
        return closed

    def finish(
        self, rung: Rung, wanted: Platform, seen: Examination, held: Holding
    ) -> Case | None:
        """
        What was asked for by a healer that died before it began: the way there from what is now. It passed every brake then.
        """
        situation = seen.situation
        plan = planning.towards(rung, wanted, situation, case_id=self.book.case.id)
        problems = linter.problems(plan, situation.inventory)
        if problems:
            return endings.page(
                self.ward, self.book, f"the plan breaks a rule: {problems[0]}"
            )
        self.book.change("planned", f"{rung.value}, asked for before", plan_id=plan.id)
        outcome = self.execute(plan, held)
        soak_seconds = situation.group.healing.soak_seconds
        return self.judge(rung, outcome, situation.subject, soak_seconds)

    def execute(self, plan: Plan, held: Holding) -> Outcome:
        """
        A plan under the service's lease and the case's own.
        """
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

    def judge(
        self, rung: Rung, outcome: Outcome, subject: Subject, soak_seconds: float
    ) -> Case | None:
        """
        What a performed plan came to, by fresh measurements. None: it did not help, or nobody can say.

        Raises:
            LeaseHeld: The right to act was lost on the way.
            CloudUnreachable: The plan broke off over something that says nothing about the rung.
        """
        if outcome.lost:
            raise LeaseHeld(outcome.lost)
        if not outcome.ok:
            self._broke_off(rung, outcome, subject)
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
        if rung not in _GENTLE:
            seconds = soak_seconds + WEIGHTS[rung].patience_seconds
            outage.excuse(self.ward, self.book, seconds, look.saw)
        unseen = look.good is None
        self.book.note(
            "not_seen" if unseen else "did_not_help", f"{rung.value}: {look.saw}"
        )
        if rung not in _GENTLE and not unseen:
            self.tries = self.tries.with_failed(rung)
        self._keep_tries()
        self.book.set(state=CaseState.DIAGNOSED, subject=subject)
        return None

    # -- before

    def _choose(self, seen: Examination) -> Choice:
        subject = seen.situation.subject
        choice = ladder.choose(
            seen.finding.diagnosis,
            seen.situation,
            failed=self.tries.failed,
            no_room=self.tries.no_room,
            budget_left_ratio=heal_measures.budget_left_ratio(
                self.ward.metrics, platform=subject.platform, service=subject.service
            ),
        )
        self.book.refuse(choice.refusals)
        self.book.keep(rejected=dict(choice.rejected))
        return choice

    def _page(self, choice: Choice, seen: Examination, held: Holding) -> Case:
        """
        No rung is left.
        """
        if seen.finding.diagnosis is Diagnosis.BALANCER:
            # The member itself is well: whoever is called must not find it left out as well.
            back = choice.model_copy(update={"rung": Rung.WATCH})
            give = planning.make(back, seen.situation, case_id=self.book.case.id)
            self.execute(give, held)
        return endings.page(self.ward, self.book, f"{choice.why} ({seen.finding.saw})")

    def _is_crowded(self, rung: Rung, plan: Plan, situation: Situation) -> bool:
        """
        Whether the cloud has no room for what the plan makes: then nothing of it is begun.
        """
        refusals = room.missing(self.ward.workshop, plan, situation.inventory)
        if not refusals:
            return False
        self.book.refuse(refusals)
        self.tries = self.tries.without_room()
        if rung not in _MAKING:
            self.tries = self.tries.with_failed(rung)
        self._keep_tries()
        self.book.set(state=CaseState.DIAGNOSED)
        return True

    def _not_as_rehearsed(self, rung: Rung, refusal: Refusal, no_room: bool) -> None:  # noqa: FBT001  as it was found
        """
        The plan would have failed: nothing was done, and the next rung is asked for.
        """
        self.book.refuse((refusal,))
        self.tries = (
            self.tries.without_room() if no_room else self.tries.with_failed(rung)
        )
        self._keep_tries()
        self.book.set(state=CaseState.DIAGNOSED)

    def _announce(self, choice: Choice, plan: Plan, situation: Situation) -> None:
        """
        Written down and shown before the first step: the plan, and what is asked for from now on.
        """
        self.book.keep(plan=[step.id for step in plan.steps])
        self.book.show(
            "plan", lambda: case_text.plan_of(plan, choice.why, choice.rejected)
        )
        wanted = service_plans.desired(choice.rung, situation)
        if wanted is not None:
            remedies.ask_for(self.ward, self.book, wanted, situation, plan)
        healing = plan.steps and choice.rung not in _GENTLE
        self.book.change(
            "planned",
            f"{choice.rung.value}: {choice.why}",
            plan_id=plan.id if healing else None,
        )

    # -- on the way, and after

    def _remembering(self, step: Step, work: execution.Work) -> perform.Facts:
        """
        Performs a step and remembers what kind of error it met.
        """
        try:
            return self.performer(step, work)
        except CloudError as error:
            self.troubles.append(error)
            raise

    def _broke_off(self, rung: Rung, outcome: Outcome, subject: Subject) -> None:
        """
        Errors that say nothing about the rung leave the case to be tried again; a replacement that never served is tried once more, with
        another instance.
        """
        self.book.note("plan_failed", outcome.sentence())
        self.book.set(state=CaseState.DIAGNOSED)
        outage.excuse(self.ward, self.book, outcome.seconds, outcome.sentence())
        tries = self.tries
        if any(isinstance(e, QuotaExceeded | CapacityMissing) for e in self.troubles):
            tries = tries.without_room()
        elif any(isinstance(e, CloudUnreachable | CloudBusy) for e in self.troubles):
            raise CloudUnreachable(f"performing {outcome.plan_id}", outcome.sentence())
        if rung in tries.broken or rung is not Rung.REPLACE or tries.no_room:
            tries = tries.with_failed(rung)
        tries = tries.with_broken(rung)
        if subject.instance and subject.instance != self.book.case.subject.instance:
            tries = tries.with_spoiled(subject.instance)
        self.tries = tries
        self._keep_tries()

    def _keep_tries(self) -> None:
        self.book.keep(**{TRIED: self.tries.evidence()})
