"""
Restores that are tried by timer and by button: a backup that was never brought back is none.
"""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from blueprints.postgres.drilling import Drill
from flows import stage
from fournines import log
from tasks import artifacts, drilling, rounds, sizing
from tasks.drilling import DrillFailed

_log = log.get("drill")


@flow(name="restore-drill", flow_run_name="drill of {service}", persist_result=False)
def restore_drill(
    service: str,
    platform: str = "",
) -> list[str]:
    """
    Bring the newest backup of a service and one of the others back in a network of their own, compare, measure, and destroy them again.

    Args:
        service: A deployed service.
        platform: Its platform; empty: the only one.
    """
    with stage.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform or None)
        return _said(service, drilling.drill(workshop, known, service, tell=_tell))


@flow(name="restore-drills", persist_result=False)
def restore_drills() -> list[str]:
    """
    Every drill that is due by its service's parameters.
    """
    with stage.workshop() as workshop:
        found = rounds.drills(workshop, tell=_tell)
    said = [one.sentence() for one in found] or ["nothing was due"]
    failed = [one.sentence() for one in found if one.error]
    if failed:
        raise DrillFailed("; ".join(failed))
    return said


def _said(service: str, done: tuple[Drill, ...]) -> list[str]:
    said = [one.sentence() for one in done]
    lines = "\n".join(f"- {line}" for line in said)
    create_markdown_artifact(markdown=lines, key=artifacts.key("drill", service))
    failed = [one.sentence() for one in done if not one.ok]
    if failed:
        raise DrillFailed("; ".join(failed))
    return said


def _tell(line: str) -> None:
    _log.info("drilling", now=line.strip())
