"""
Which full backups stay: grandfathers, fathers and sons. Pure.

Sons are differential backups (pgBackRest counts those itself), fathers the newest full ones, grandfathers the last full one of each month that is
over. What goes is named here and expired one by one, since pgBackRest's own count knows one generation of full backups alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from blueprints.postgres.repository import Backup

Month = tuple[int, int]


def superseded(
    backups: Sequence[Backup], *, fulls_kept: int, months_kept: int, now: datetime
) -> tuple[str, ...]:
    """
    The labels of the full backups that nobody needs any more, the oldest first; what rests on one goes with it.

    One with bad pages is no generation: it stays only while it is younger than the oldest father, for what else there is to look at.
    """
    fulls, good = _fulls(backups), _good(backups)
    if not good:
        return ()
    stay = good[-fulls_kept:]
    oldest = stay[0].ended_at
    labels = {one.label for one in (*stay, *_grandfathers(good, months_kept, now))}
    return tuple(
        one.label
        for one in fulls
        if one.label not in labels and not (one.failed and one.ended_at > oldest)
    )


def log_begins(backups: Sequence[Backup], *, fulls_kept: int) -> datetime | None:
    """
    From when on every moment can be had: the first good backup of the time for which pgBackRest keeps the log, whose count knows no bad pages. Of the
    time before it only what the backups themselves hold is kept.
    """
    fulls = _fulls(backups)[-fulls_kept:]
    found = (
        one.ended_at
        for one in backups
        if fulls and not one.failed and one.ended_at >= fulls[0].ended_at
    )
    return min(found, default=None)


def _fulls(backups: Sequence[Backup]) -> list[Backup]:
    return sorted((one for one in backups if one.kind == "full"), key=_ended)


def _good(backups: Sequence[Backup]) -> list[Backup]:
    return [one for one in _fulls(backups) if not one.failed]


def _grandfathers(
    good: Sequence[Backup], months_kept: int, now: datetime
) -> tuple[Backup, ...]:
    """
    The last of each month that is over, of the newest months in which there was any.
    """
    last = {_month(one.ended_at): one for one in good}
    over = sorted(month for month in last if month < _month(now))
    return tuple(last[month] for month in over[max(len(over) - months_kept, 0) :])


def _month(at: datetime) -> Month:
    return (at.year, at.month)


def _ended(one: Backup) -> datetime:
    return one.ended_at
