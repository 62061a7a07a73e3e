"""
Each step of a plan as a Prefect task run, named after the step, so that a plan's progress stands in the UI.

Thin on purpose: order, journal and retries are ours (tasks/execution.py), so that a plan runs the same without Prefect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from fournines.planning.steps import Step
from tasks.execution import Work
from tasks.perform import Facts


@task(name="step", cache_policy=NO_CACHE, persist_result=False, retries=0)
def run_step(kind: str, subject: str, why: str, work: Any) -> Facts:  # noqa: ARG001  shown in the UI
    """
    One step: what it is and why, for people; the work itself was bound before.
    """
    facts: Facts = work()
    return facts


def perform_as_task_run(step: Step, work: Work) -> Facts:
    """
    A `Performer` for flows.
    """
    kind, _, subject = step.id.partition("/")
    run = run_step.with_options(task_run_name=step.id.replace("/", " ", 1))
    facts: Facts = run(kind, subject, step.why, work)
    return facts


def work_as_task_run(kind: str, subject: str, work: Callable[[], None]) -> None:
    """
    A step of baking, which belongs to no plan.
    """

    def facts() -> Facts:
        work()
        return {}

    run = run_step.with_options(task_run_name=f"{kind} {subject}")
    run(kind, subject, "", facts)
