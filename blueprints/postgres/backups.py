"""
How a database wants to be backed up, as its parameters say. Pure. The defaults are the blueprint's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from blueprints.postgres.drilling import Drill
from blueprints.postgres.repository import Repository
from fournines.model.value import Value


class Policy(Value):
    """
    What is taken how often, and how much is kept.

    Attributes:
        months_kept: Of so many months that are over the last full backup stays, without the log after it.
        archive_every_seconds: A segment of the log is sent at least so often, full or not: what a loss of everything would cost.
        immutable_days: For so long the store itself keeps every object, where it can.
        drill_every_days: How often a restore is tried.
    """

    enabled: bool = True
    full_every_days: int = 7
    fulls_kept: int = 4
    diff_every_hours: int = 24
    diffs_kept: int = 7
    months_kept: int = 3
    archive_every_seconds: int = 60
    immutable_days: int = 0
    drill_every_days: int = 7


class Restore(Value):
    """
    What a database begins with.
    """

    service: str
    backup: str
    to: str | None = None


BLUEPRINT = "postgres"


def policy_of(blueprint: str, parameters: Mapping[str, Any]) -> Policy | None:
    """
    None: the service knows no backups, or wants none.
    """
    if blueprint != BLUEPRINT:
        return None
    found = Policy.model_validate(parameters.get("backups") or {})
    return found if found.enabled else None


def restore_of(parameters: Mapping[str, Any]) -> Restore | None:
    """
    None: the service begins with nothing.
    """
    found = parameters.get("restore")
    return Restore.model_validate(found) if found else None


def due(policy: Policy, repository: Repository) -> str | None:
    """
    The kind of backup that is to be taken now; None: none.
    """
    fulls = [one for one in repository.backups if one.kind == "full"]
    if not fulls or _is_past(
        fulls[-1].begun_at, timedelta(days=policy.full_every_days), repository.at
    ):
        return "full"
    newest = repository.newest
    assert newest is not None
    if _is_past(
        newest.begun_at, timedelta(hours=policy.diff_every_hours), repository.at
    ):
        return "diff"
    return None


def age_seconds_max(policy: Policy) -> float:
    """
    A newest backup older than this means that one was missed: two rhythms.
    """
    return 2 * min(policy.diff_every_hours, policy.full_every_days * 24) * 3600.0


def log_age_seconds_max(policy: Policy) -> float:
    """
    A log that was last sent longer ago is not sent any more: the platform itself writes all the time.
    """
    return 5 * policy.archive_every_seconds + 300.0


def drill_due(policy: Policy, drills: Sequence[Drill], now: datetime) -> bool:
    """
    Whether a restore is to be tried now: by rhythm, and again at once after one that failed.
    """
    last = max((one.at for one in drills if one.ok), default=None)
    return last is None or _is_past(last, timedelta(days=policy.drill_every_days), now)


def drill_age_seconds_max(policy: Policy) -> float:
    """
    A last good drill older than this is late: the rhythm and a day.
    """
    return (policy.drill_every_days + 1) * 86_400.0


def _is_past(at: datetime, rhythm: timedelta, now: datetime) -> bool:
    return now - at >= rhythm
