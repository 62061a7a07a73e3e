"""
Performing a plan: its graph in parallel threads, an intent in the journal before each step and its result after it.

A step that fails stops what needs it; independent branches end. A plan whose worker died is taken up where it was: done steps are skipped,
intended ones are performed again, for each is idempotent. Works with and without Prefect: whoever wants a task run per step hands in `perform`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from fournines import log
from fournines.cloud import permit
from fournines.cloud.errors import CloudError
from fournines.planning import graph
from fournines.planning.plan import Plan
from fournines.planning.steps import Step
from fournines.store.protocol import (
    JournalEntry,
    Lease,
    LeaseHeld,
    StepState,
    StoreError,
)
from tasks import perform, registering
from tasks.outcome import Outcome, Progress
from tasks.workshop import Workshop

Work = Callable[[], perform.Facts]
Performer = Callable[[Step, Work], perform.Facts]
"""Runs the work of a step somewhere, e.g. inside a Prefect task run."""

Rights = Callable[[], Sequence[Lease]]
"""The leases that a plan is performed on, as they are now."""

_log = log.get("execution")


class GaveWay(Exception):
    """
    A performer stopped before a step, because something else must be done first; the message says what.
    """


def no_guard() -> None:
    """
    Nobody else acts: tests, and plans under a lease that somebody else checks.
    """


def no_rights() -> tuple[Lease, ...]:
    """
    Nobody else acts.
    """
    return ()


def ignore_progress(_progress: Progress) -> None:
    """
    Nobody watches.
    """


def at_once(_step: Step, work: Work) -> perform.Facts:
    """
    The plain performer.
    """
    return work()


@dataclass(slots=True)
class _Execution:
    plan: Plan
    workshop: Workshop
    guard: Callable[[], None]
    rights: Rights
    performer: Performer
    watch: Callable[[Progress], None]
    entries: Mapping[str, JournalEntry]
    registered: frozenset[tuple[str, str]]
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    lost: str = ""

    def run(self) -> None:
        """
        The loop: whatever is ready runs, until nothing is ready and nothing runs.
        """
        finished_before = {
            entry.step_id
            for entry in self.entries.values()
            if entry.state is StepState.DONE
        }
        by_id = {step.id: step for step in self.plan.steps}
        sorter = TopologicalSorter({s.id: s.needs for s in self.plan.steps})
        sorter.prepare()
        running: dict[Future[float], Step] = {}
        crew = self.workshop.crew
        threads = crew.hands(max(1, self.workshop.settings.parallel_steps_max), "step")
        try:
            while True:
                while ready := sorter.get_ready():
                    for step_id in ready:
                        if step_id in finished_before:
                            self._skip(by_id[step_id])
                            sorter.done(step_id)
                        else:
                            step = by_id[step_id]
                            future = threads.submit(copy_context().run, self._one, step)
                            running[future] = step
                if not running:
                    break
                for future in crew.first_done(running):
                    step = running.pop(future)
                    if self._ended(step, future):
                        sorter.done(step.id)
        finally:
            # After an interrupt nothing new begins; what runs ends and is journalled.
            threads.shutdown(wait=True, cancel_futures=True)

    def _one(self, step: Step) -> float:
        workshop, journal = self.workshop, self.workshop.store.journal
        self.guard()
        begin = workshop.clock.now()
        before: perform.Facts = {"found": self._found(step)}
        journal.intend(
            self.plan.id,
            step.id,
            step.kind,
            at=begin,
            result=before,
            rights=self.rights(),
        )
        _log.info("step_begun", step=step.id, why=step.why)
        self._tell(step, "begun")
        with permit.granted(self.guard):
            facts = self.performer(step, lambda: perform.do(step, workshop))
        end = workshop.clock.now()
        registering.record(self.plan.platform, step, facts, workshop, end)
        journal.finish(
            self.plan.id,
            step.id,
            StepState.DONE,
            at=end,
            result=before | facts,
            rights=self.rights(),
        )
        return (end - begin).total_seconds()

    def _found(self, step: Step) -> bool:
        # An interrupted try of this plan may have made it: its word, written before it tried, counts.
        earlier = self.entries.get(step.id)
        if earlier is not None and "found" in earlier.result:
            return bool(earlier.result["found"])
        return (perform.resource_kind(step), perform.resource_name(step)) in (
            self.registered
        )

    def _ended(self, step: Step, future: Future[float]) -> bool:
        try:
            seconds = future.result()
        except LeaseHeld as error:
            # Whoever holds it now has the journal too.
            self.lost = str(error)
            self.failed[step.id] = self.lost
            _log.warning("lease_lost", step=step.id, error=self.lost)
            return False
        except (CloudError, GaveWay) as error:
            self._fail(step, str(error))
            return False
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  a bug in one step must not orphan the others' results
            _log.exception("step_broke", step=step.id)
            self._fail(step, f"{type(error).__name__}: {error}")
            return False
        self.done.append(step.id)
        _log.info("step_done", step=step.id, seconds=round(seconds, 3))
        self._tell(step, "done", seconds=seconds)
        return True

    def _fail(self, step: Step, why: str) -> None:
        self.failed[step.id] = why
        _log.warning("step_failed", step=step.id, error=why)
        journal = self.workshop.store.journal
        intended = {entry.step_id: entry for entry in journal.entries(self.plan.id)}
        if step.id in intended:
            journal.finish(
                self.plan.id,
                step.id,
                StepState.FAILED,
                at=self.workshop.clock.now(),
                error=why,
                result=intended[step.id].result,
                rights=self.rights(),
            )
        self._tell(step, "failed", error=why)

    def _skip(self, step: Step) -> None:
        self.done.append(step.id)
        self._tell(step, "skipped")

    def _tell(
        self, step: Step, state: str, *, seconds: float = 0.0, error: str = ""
    ) -> None:
        self.watch(
            Progress(
                step=step.id,
                kind=step.kind,
                state=state,
                done=len(self.done),
                total=len(self.plan.steps),
                seconds=seconds,
                error=error,
            )
        )


def execute(
    plan: Plan,
    workshop: Workshop,
    *,
    holder: str,
    guard: Callable[[], None] = no_guard,
    rights: Rights = no_rights,
    performer: Performer = at_once,
    watch: Callable[[Progress], None] = ignore_progress,
) -> Outcome:
    """
    Perform a plan to its end, or as far as it goes.

    `guard` is called before each step and each request to the cloud, and raises LeaseHeld when the right to act is lost; `rights` are the leases
    whose numbers the journal compares before it takes an intent. `performer` runs a step's work; `watch` is told of
    every change, from several threads, and must be quick; `holder` is who performs it, for the journal.

    Raises:
        PlanCyclic: Steps wait for each other.
        StoreError: The journal cannot be written: nothing more is begun.
    """
    graph.ordered(plan.steps)
    journal = workshop.store.journal
    begin = workshop.clock.now()
    journal.open_plan(plan, holder=holder, at=begin, rights=rights())
    execution = _Execution(
        plan,
        workshop,
        guard,
        rights,
        performer,
        watch,
        entries={entry.step_id: entry for entry in journal.entries(plan.id)},
        registered=frozenset(
            (kind, name)
            for kind, name, _ in workshop.store.registry.resources(plan.platform)
        ),
    )
    execution.run()
    seen = {*execution.done, *execution.failed}
    end = workshop.clock.now()
    outcome = Outcome(
        plan_id=plan.id,
        done=tuple(execution.done),
        failed=execution.failed,
        waiting=tuple(step.id for step in plan.steps if step.id not in seen),
        seconds=(end - begin).total_seconds(),
        lost=execution.lost,
    )
    if not outcome.lost:
        said = "done" if outcome.ok else outcome.sentence()
        journal.close_plan(plan.id, outcome=said, at=end, rights=rights())
    _log.info("plan_ended", plan=plan.id, ok=outcome.ok, seconds=outcome.seconds)
    return outcome
