"""
Maintenance windows: times when people work on a service or on the whole platform, and healing changes nothing that one call cannot undo.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from fournines.model import duration
from fournines.model.value import Value

DURATION_SECONDS_MAX = 7 * 86_400
"""A longer window is a switched-off healer by another name: `fournines pause` or `healing off` say so openly."""

_MINUTE = timedelta(minutes=1)
"""Cron's finest unit: asked backwards from the next one, a start in this very minute is found and none in the future."""


def _seconds(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    return int(duration.parse(given).total_seconds())


class MaintenanceWindow(Value):
    """
    Either a cron expression with a duration, or one span of time from a moment until another.

    Attributes:
        cron: When it begins, in five fields, read in `timezone`.
        begins: Written `from`; with its zone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    cron: str | None = None
    duration_seconds: Annotated[int | None, BeforeValidator(_seconds)] = Field(
        None, alias="duration", gt=0, le=DURATION_SECONDS_MAX
    )
    timezone: str = "UTC"
    begins: datetime | None = Field(None, alias="from")
    until: datetime | None = None
    why: str = ""

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, given: str | None) -> str | None:
        if given is None:
            return None
        if len(given.split()) != 5:
            raise ValueError(
                f"{given!r} is no cron expression of five fields, like '0 3 * * 0'"
            )
        try:
            CronSim(given, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise ValueError(f"{given!r} is no cron expression: {error}") from error
        return given

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"there is no time zone {given!r}; write it like Europe/Berlin"
            ) from error
        return given

    @field_validator("begins", "until")
    @classmethod
    def _has_zone(cls, given: datetime | None) -> datetime | None:
        if given is not None and given.tzinfo is None:
            raise ValueError("needs its zone: 2026-12-01T02:00:00Z")
        return given

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        recurring = self.cron is not None or self.duration_seconds is not None
        once = self.begins is not None or self.until is not None
        if recurring == once:
            raise ValueError("give either cron and duration, or from and until")
        if recurring and (self.cron is None or self.duration_seconds is None):
            raise ValueError("a recurring window needs both cron and duration")
        if once and (self.begins is None or self.until is None):
            raise ValueError("a window of dates needs both from and until")
        if self.begins and self.until and self.until <= self.begins:
            raise ValueError("it ends before it begins")
        return self

    def ends(self, now: datetime) -> datetime | None:
        """
        When the window that is open now ends; None while none is open.
        """
        if self.begins is not None and self.until is not None:
            return self.until if self.begins <= now < self.until else None
        assert self.cron is not None
        assert self.duration_seconds is not None
        next_minute = now.replace(second=0, microsecond=0) + _MINUTE
        local = next_minute.astimezone(ZoneInfo(self.timezone))
        began = next(CronSim(self.cron, local, reverse=True), None)
        if began is None:
            return None
        # In UTC: a window of two hours lasts two hours, also in the night the clocks change.
        end = began.astimezone(UTC) + timedelta(seconds=self.duration_seconds)
        return end if now < end else None

    def sentence(self) -> str:
        """
        For people.
        """
        when = (
            f"{self.begins:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M %Z}"
            if self.begins and self.until
            else f"{self.cron} ({self.timezone}) for "
            + duration.text(timedelta(seconds=self.duration_seconds or 0))
        )
        return f"{when}{f': {self.why}' if self.why else ''}"


def open_window(
    windows: tuple[MaintenanceWindow, ...], now: datetime
) -> tuple[MaintenanceWindow, datetime] | None:
    """
    The window that is open now and ends last, with its end.
    """
    found = [(window, end) for window in windows if (end := window.ends(now))]
    return max(found, key=lambda pair: pair[1], default=None)
