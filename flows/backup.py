"""
Backups by timer and by button.
"""

from __future__ import annotations

from typing import Literal

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows import stage
from fournines import log
from tasks import archiving, artifacts, definitions, rounds, sizing
from tasks.archiving import BackupFailed

_log = log.get("backup")


@flow(name="backup-service", flow_run_name="backup {service}", persist_result=False)
def backup_service(
    service: str,
    kind: Literal["full", "diff", "incr"] = "diff",
    platform: str = "",
) -> str:
    """
    Take a backup of a service now, from a replica where there is one.

    Args:
        service: A deployed service.
        kind: What is taken: all of it (full), what differs from the last full one (diff), or from the last of any kind (incr).
        platform: Its platform; empty: the only one.
    """
    with stage.workshop() as workshop:
        known = sizing.find(workshop.store.registry, service, platform or None)
        if definitions.is_bus(known, service):
            kept = definitions.backup(workshop, known, service)
            return f"{kept.label}: definitions, {kept.size_bytes} bytes"
        made = archiving.backup(workshop, known, service, kind, tell=_tell)
    said = f"{made.label}: {made.kind}, {made.size_bytes / 1e6:.1f} MB, {made.stored_bytes / 1e6:.1f} MB stored"
    create_markdown_artifact(markdown=said, key=artifacts.key("backup", service))
    return said


@flow(name="backup-services", persist_result=False)
def backup_services() -> list[str]:
    """
    Take every backup that is due by its service's parameters.
    """
    with stage.workshop() as workshop:
        done = rounds.backups(workshop, tell=_tell)
    said = [one.sentence() for one in done] or ["nothing was due"]
    failed = [one.sentence() for one in done if one.error]
    if failed:
        raise BackupFailed("; ".join(failed))
    return said


def _tell(line: str) -> None:
    _log.info("backing_up", now=line)
