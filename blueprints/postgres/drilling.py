"""
A restore that is tried: the guest that does it, and what its report is worth. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from blueprints import builder_data, words
from blueprints.postgres.repository import Backup, Repository
from fournines.model.value import Value

_FOLDER = Path(__file__).parent


class Marks(Value):
    """
    The platform's own rows in a database: numbered without a gap, each with its moment.

    Attributes:
        count: How many there are,
        first: from this one
        last: to that one,
        last_at: which was written then.
        digest: Of all numbers and moments.
    """

    count: int = 0
    first: int | None = None
    last: int | None = None
    last_at: datetime | None = None
    digest: str = ""

    @property
    def has_gap(self) -> bool:
        """
        Whether a number is missing.
        """
        if self.first is None or self.last is None:
            return False
        return self.count != self.last - self.first + 1


class Drill(Value):
    """
    One restore that was tried.

    Attributes:
        at: When it began.
        backup: The backup's label.
        to_the_end: The log was replayed as far as it was kept; else only until the backup was whole.
        rto_seconds: From the beginning until the database answered and was checked.
        rpo_seconds: What was written so long before the beginning, and later, would have been lost; None: not measured.
        compared: The rows were compared with those of the living service.
        error: Why it failed; empty when it did not.
    """

    at: datetime
    backup: str
    to_the_end: bool = True
    rto_seconds: float = 0.0
    rpo_seconds: float | None = None
    marks: int = 0
    compared: bool = False
    error: str = ""

    @property
    def ok(self) -> bool:
        """
        Whether the data came back as it was.
        """
        return not self.error

    def sentence(self) -> str:
        """
        For people.
        """
        if self.error:
            return f"backup {self.backup} did not come back: {self.error}"
        lost = (
            f"RPO {self.rpo_seconds:.0f} s"
            if self.rpo_seconds is not None
            else "RPO not measured"
        )
        how = "compared with the living service" if self.compared else "not compared"
        return f"backup {self.backup} came back: RTO {self.rto_seconds:.0f} s, {lost}, {self.marks} marks, {how}"


def chosen(repository: Repository, draw: float) -> tuple[Backup, ...]:
    """
    The newest backup, and one of the others by chance (`draw` from 0 to 1).
    """
    usable = [one for one in repository.backups if not one.failed]
    if not usable:
        return ()
    *others, newest = usable
    if not others:
        return (newest,)
    return (newest, others[min(int(draw * len(others)), len(others) - 1)])


def marks_in(report: str) -> Marks:
    """
    What a guest says it found.
    """
    said: dict[str, Any] = json.loads(report)
    moment = said.get("last_at")
    return Marks(
        count=int(said.get("marks") or 0),
        first=said.get("first"),
        last=said.get("last"),
        last_at=datetime.fromtimestamp(float(moment), UTC) if moment else None,
        digest=str(said.get("digest") or ""),
    )


def judged(found: Marks, living: Marks | None) -> str:
    """
    What is wrong with the rows that came back; empty when nothing is.

    Args:
        found: Those that came back.
        living: The same numbers in the living service; None: it could not be asked.
    """
    if found.has_gap:
        return (
            f"marks {found.first} to {found.last} are {found.count}: some are missing"
        )
    if living is not None and found.count and living != found:
        return (
            f"marks {found.first} to {found.last} are not those of the living service"
        )
    return ""


def newest(drills: Sequence[Drill]) -> tuple[Drill, ...]:
    """
    Those of the last round: begun within a day of each other.
    """
    if not drills:
        return ()
    last = max(one.at for one in drills)
    return tuple(one for one in drills if last - one.at < timedelta(days=1))


def user_data(
    platform: str, service: str, backup: Backup, *, nonce: str, to_the_end: bool
) -> str:
    """
    Of the guest that tries it. Secrets are references here, as everywhere.
    """
    said = words.of_service(platform, service)
    source = {
        **{name: said["objects"](name) for name in ("host", "port", "region")},
        "bucket": said["objects"](f"bucket/{service}"),
        **{
            name: said["secret"](f"backup-{name}")
            for name in ("cipher", "access", "secret")
        },
        "backup": backup.label,
    }
    told = {
        "slot": "drill",
        "data": "/data/postgres/15",
        "password": "",
        "voters": {},
        "options": {},
        "archive": source,
        "source": source,
    }
    entries = [
        {
            "path": "/etc/fournines/archive.json",
            "owner": "postgres:postgres",
            "permissions": "0600",
            "content": json.dumps(told),
        },
        {"path": "/etc/fournines/objects.pem", "content": said["objects"]("ca")},
        {
            "path": "/usr/local/lib/archivist/archive.py",
            "content": (_FOLDER / "guest" / "archive.py").read_text(),
        },
    ]
    files = {
        "nonce": f"{nonce}\n",
        "target": "" if to_the_end else "recovery_target = 'immediate'\n",
        "marks.sh": builder_data.script("marks.sh"),
        "drill.sh": (_FOLDER / "drill" / "drill.sh").read_text(),
    }
    return builder_data.cloud_config(files, entries, "drill.sh")
