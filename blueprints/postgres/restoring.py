"""
Which backup a restore begins with, and why there is none. Pure.
"""

from __future__ import annotations

from datetime import datetime

from blueprints.postgres import generations
from blueprints.postgres.repository import Backup, Repository
from fournines.model.refusal import Reason, Refusal

ROOM_FACTOR = 1.25
"""A database that is replayed keeps log beside its data."""

_GB = 1 << 30
_AT = "%Y-%m-%d %H:%M:%S UTC"


def chosen(
    service: str,
    repository: Repository,
    *,
    to: datetime | None = None,
    label: str | None = None,
    fulls_kept: int | None = None,
) -> Backup | Refusal:
    """
    The newest backup that ended before the moment (the newest of all when there is no moment), or the one of that label.

    Args:
        service: Whose backups these are; for people.
        repository: What is kept, as of now.
        to: The moment to restore to; None: as late as can be.
        label: A backup that somebody chose.
        fulls_kept: So many full backups have the whole log after them; None: all have.
    """
    usable = [one for one in repository.backups if not one.failed]
    if not usable:
        return _none(
            service, f"there is no backup of {service}; take one: fournines backup"
        )
    if to is not None and to > repository.at:
        return _none(
            service,
            f"{to.strftime(_AT)} is in the future, now is {repository.at.strftime(_AT)}; name a moment that has passed, or none",
        )
    if label is not None and repository.backup(label) is None:
        return _none(
            service,
            f"{service} has no backup {label}; the newest is {usable[-1].label}, see fournines backups {service}",
        )
    offered = [one for one in usable if label in {None, one.label}]
    early = [one for one in offered if to is None or one.ended_at <= to]
    if early:
        return _in_a_gap(service, repository, to, fulls_kept) or early[-1]
    if not offered:
        return _none(
            service, f"backup {label} has pages whose checksum is wrong; take another"
        )
    assert to is not None
    first = offered[0]
    named = f"backup {label}" if label else "the first backup that is kept"
    return _none(
        service,
        f"{to.strftime(_AT)} is before the end of {named}, {first.ended_at.strftime(_AT)}, the earliest that can be restored",
    )


def _in_a_gap(
    service: str,
    repository: Repository,
    to: datetime | None,
    fulls_kept: int | None,
) -> Refusal | None:
    """
    A moment from which nothing but the backups of ended months is left.
    """
    if to is None or fulls_kept is None:
        return None
    begins = generations.log_begins(repository.backups, fulls_kept=fulls_kept)
    before = [
        one for one in repository.backups if not one.failed and one.ended_at <= to
    ]
    if begins is None or to >= begins or not before:
        return None
    nearest = before[-1]
    return _none(
        service,
        f"{to.strftime(_AT)} is before {begins.strftime(_AT)}, from when on every moment is kept; of the time before there are backups of "
        f"ended months alone: --backup {nearest.label} without --to brings back {nearest.ended_at.strftime(_AT)}",
    )


def too_small(service: str, backup: Backup, volume_gb: int) -> Refusal | None:
    """
    Why a backup does not fit onto a volume.
    """
    needed = backup.size_bytes * ROOM_FACTOR
    if needed <= volume_gb * _GB:
        return None
    wanted = int(needed / _GB) + 1
    return Refusal(
        reason=Reason.CAPACITY,
        subject=service,
        detail=f"backup {backup.label} holds {backup.size_bytes / _GB:.1f} GB and a volume of {volume_gb} GB is too small; "
        f"say --volume-gb {wanted} or more",
    )


def beyond_log(service: str, repository: Repository, to: datetime) -> Refusal | None:
    """
    Why a moment cannot be reached when the service is no more there to send the rest of its log.
    """
    if repository.log_at is not None and to <= repository.log_at:
        return None
    end = repository.log_at.strftime(_AT) if repository.log_at else "nowhere"
    return _none(
        service,
        f"{service} does not answer, and the log that is kept of it ends at {end}; name an earlier moment, or none for all there is",
    )


def _none(service: str, detail: str) -> Refusal:
    return Refusal(reason=Reason.MISSING, subject=service, detail=detail)
