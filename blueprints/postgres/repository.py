"""
What a service's repository holds: its backups, and how far the write-ahead log is kept. Pure; pgBackRest's words in, ours out.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from fournines.model.objects import StoredObject
from fournines.model.value import Value

ROOT = "pgbackrest"
STANZA = "main"
INFO = f"{ROOT}/backup/{STANZA}/backup.info"
ARCHIVE = f"{ROOT}/archive/{STANZA}/"

_KINDS = {"full": "full", "diff": "differential", "incr": "incremental"}
_BACKUP = re.compile(r"(\d{8}-\d{6}F(?:_\d{8}-\d{6}[DI])?)=(\{.*\})")
_SEGMENT = re.compile(r"/([0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$")


class Backup(Value):
    """
    One backup.

    Attributes:
        label: pgBackRest's name of it, which tells what it rests on.
        kind: full, differential or incremental.
        ended_at: The earliest moment that it can be restored to.
        size_bytes: Of the database.
        stored_bytes: Of what this backup added to the store.
        log_from: The first segment of the log that it needs, and
        log_to: the last.
        order: By which it was asked for; empty: by somebody else.
        failed: pgBackRest found a page whose checksum is wrong.
    """

    label: str
    kind: str
    begun_at: datetime
    ended_at: datetime
    size_bytes: int
    stored_bytes: int
    log_from: str
    log_to: str
    order: str = ""
    failed: bool = False


class Repository(Value):
    """
    All that is kept of a service.

    Attributes:
        backups: The oldest first.
        log_newest: The newest segment of the log, and
        log_at: when it came.
        locked_days: For so long the store itself keeps every object.
    """

    at: datetime
    backups: tuple[Backup, ...] = ()
    log_newest: str = ""
    log_at: datetime | None = None
    locked_days: int = 0

    @property
    def newest(self) -> Backup | None:
        """
        The last backup.
        """
        return self.backups[-1] if self.backups else None

    def backup(self, label: str) -> Backup | None:
        """
        The backup of that label.
        """
        return next((one for one in self.backups if one.label == label), None)

    def of_order(self, order: str) -> Backup | None:
        """
        The backup that was taken by an order.
        """
        return next((one for one in self.backups if one.order == order), None)


def backups_in(info: str) -> tuple[Backup, ...]:
    """
    The backups of a backup.info, the oldest first.
    """
    found = (_BACKUP.fullmatch(line.strip()) for line in info.splitlines())
    made = (_backup(one[1], json.loads(one[2])) for one in found if one)
    return tuple(sorted(made, key=lambda one: one.ended_at))


def newest_segment(objects: tuple[StoredObject, ...]) -> tuple[str, datetime] | None:
    """
    The last segment of the log among some objects, and when it came.
    """
    found = [
        (match[1], one.at) for one in objects if (match := _SEGMENT.search(one.name))
    ]
    return max(found) if found else None


def _backup(label: str, said: dict[str, Any]) -> Backup:
    return Backup(
        label=label,
        kind=_KINDS.get(str(said["backup-type"]), str(said["backup-type"])),
        begun_at=_moment(said["backup-timestamp-start"]),
        ended_at=_moment(said["backup-timestamp-stop"]),
        size_bytes=said["backup-info-size"],
        stored_bytes=said["backup-info-repo-size-delta"],
        log_from=said.get("backup-archive-start") or "",
        log_to=said.get("backup-archive-stop") or "",
        order=str((said.get("backup-annotation") or {}).get("order", "")),
        failed=bool(said.get("backup-error")),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
