"""
Reading a service's repository in its bucket: without the service, which may be no more.
"""

from __future__ import annotations

from datetime import datetime

from blueprints.postgres import repository as reading
from blueprints.postgres.repository import Repository
from fournines.cloud.errors import CloudRefused, ResourceMissing
from fournines.trust import salted
from tasks import vaults
from tasks.vaults import Vault
from tasks.workshop import Workshop


def read(workshop: Workshop, platform: str, service: str) -> Repository:
    """
    What is kept of a service now; nothing where it was never backed up.

    Raises:
        CloudError: There is no object store, it does not answer, or says no.
    """
    now = workshop.clock.now()
    if not vaults.is_known(workshop, platform, service):
        return Repository(at=now)
    vault = vaults.opened(workshop, platform, service)
    try:
        if not vault.store.has_bucket(vault.bucket):
            return Repository(at=now)
        info = _info(vault, service)
        log = _log(vault)
        locked = vault.store.locked_days(vault.bucket)
    except ResourceMissing:
        # Deleted between two looks.
        return Repository(at=now)
    return Repository(
        at=workshop.clock.now(),
        backups=reading.backups_in(info),
        log_newest=log[0] if log else "",
        log_at=log[1] if log else None,
        locked_days=locked,
    )


def _info(vault: Vault, service: str) -> str:
    try:
        content = vault.store.read(vault.bucket, reading.INFO)
    except ResourceMissing:
        return ""
    try:
        return salted.opened(content, vault.cipher).decode()
    except ValueError as error:
        raise CloudRefused(f"reading what is kept of {service}", str(error)) from error


def _log(vault: Vault) -> tuple[str, datetime] | None:
    """
    Of the last folder alone: a log of months has many thousands of segments. Folders are databases, then timelines with the high half of a
    position, whose names sort as they came.
    """
    for history in sorted(
        vault.store.folders(vault.bucket, reading.ARCHIVE), key=_number, reverse=True
    ):
        for folder in reversed(vault.store.folders(vault.bucket, history)):
            found = reading.newest_segment(vault.store.objects(vault.bucket, folder))
            if found:
                return found
    return None


def _number(folder: str) -> int:
    """
    `.../15-2/` is the second database under this name.
    """
    _, _, last = folder.rstrip("/").rpartition("-")
    return int(last) if last.isdigit() else 0
