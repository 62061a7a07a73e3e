"""
The timer: what was asked for and what is, brought together again along the path every deploy takes.
"""

from __future__ import annotations

from prefect import flow
from prefect.runtime import flow_run

from flows import drift, stage
from tasks import artifacts
from tasks.audience import Audience
from tasks.step_runs import perform_as_task_run


class ReconcileFailed(Exception):
    """
    A platform is not as it should be, and could not be brought there.
    """


def _name() -> str:
    return f"reconcile {flow_run.parameters.get('platform') or 'everything'}"


@flow(name="reconcile", flow_run_name=_name, persist_result=False)
def reconcile(
    platform: str = "",
) -> list[str]:
    """
    Bring deployed platforms back to what was asked for; what is being healed is left to the healer.

    Args:
        platform: Which one; empty: all that are deployed.
    """
    with stage.workshop() as workshop:
        found, _ = drift.reconcile(
            workshop,
            platform=platform or None,
            audience=Audience(show=artifacts.show_plan, performer=perform_as_task_run),
        )
    for one in found:
        if one.result is not None and not one.result.plan.empty:
            artifacts.show_result(one.result)
    said = [one.sentence() for one in found]
    if not all(one.ok for one in found):
        raise ReconcileFailed("; ".join(o.sentence() for o in found if not o.ok))
    return said
