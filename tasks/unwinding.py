"""
Taking back what a plan did, along its journal.
"""

from __future__ import annotations

from fournines import log
from fournines.cloud.errors import CloudError
from fournines.planning import graph
from fournines.planning.plan import Plan
from fournines.store.protocol import StepState
from tasks import perform, registering
from tasks.workshop import Workshop

_log = log.get("unwinding")


def unwind(plan: Plan, workshop: Workshop) -> dict[str, str]:
    """
    Take back what a plan did, last first; a step that was intended counts, for it may have taken effect.

    Only what this plan made is taken back: what the registry knew before the plan stays. Returns the undos that failed: step id -> why.
    """
    journal = workshop.store.journal
    entries = {entry.step_id: entry for entry in journal.entries(plan.id)}
    stuck: dict[str, str] = {}
    for step in reversed(graph.ordered(plan.steps)):
        entry = entries.get(step.id)
        if entry is None or entry.state is StepState.UNDONE:
            continue
        if entry.result.get("found"):
            continue
        try:
            undone = perform.undo(step, workshop)
        except CloudError as error:
            stuck[step.id] = str(error)
            _log.error("undo_failed", step=step.id, error=str(error))
            continue
        if undone:
            now = workshop.clock.now()
            if step.kind.startswith("ensure-"):
                registering.forget(plan.platform, step, workshop)
            journal.finish(
                plan.id, step.id, StepState.UNDONE, at=now, result=entry.result
            )
            _log.info("step_undone", step=step.id)
    return stuck
