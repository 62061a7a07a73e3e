"""
Burn tiers as data, and the arithmetic of budgets. Pure.

The law behind every tier: an alert fires after `share x budget seconds / error ratio` seconds. The share **is** the budget spent when it
fires, so shares are chosen and burn factors follow from them, never the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

from alerts.conventions import Alert, Severity
from fournines.model.objective import Objective

MINUTE_SECONDS = 60
HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class BurnTier:
    """
    One way of noticing that a budget burns.

    Attributes:
        long_seconds: The window that decides.
        short_seconds: The window that ends the alert quickly once the burning stops.
        budget_share: What may be spent of the budget before it fires.
        age_seconds_min: A younger service's long window is only partly filled, so that it fires too early.
    """

    alert: Alert
    severity: Severity
    long_seconds: int
    short_seconds: int
    budget_share: float
    age_seconds_min: int

    def burn_factor(self, window_days: int = 30) -> float:
        """
        How many times faster than allowed the budget must burn: the SRE workbook's 14.4 and 6, for instance.
        """
        return self.budget_share * window_days * DAY_SECONDS / self.long_seconds

    def threshold(self, budget_seconds: float) -> float:
        """
        The error ratio over the long window from which it fires. Above 1 it never does.
        """
        return self.budget_share * budget_seconds / self.long_seconds

    def seconds_to_fire(
        self, error_ratio: float, budget_seconds: float
    ) -> float | None:
        """
        From the first bad request to the alert, without scrape and evaluation; None when it never fires.
        """
        if error_ratio <= self.threshold(budget_seconds):
            return None
        return self.budget_share * budget_seconds / error_ratio


TIERS = (
    BurnTier(Alert.BURN_MINUTE, Severity.HEAL, 60, 10, 0.0025, 60),
    BurnTier(Alert.BURN_FIVE_MINUTES, Severity.HEAL, 300, 30, 0.005, 300),
    BurnTier(Alert.BURN_HOUR, Severity.PAGE, HOUR_SECONDS, 300, 0.02, HOUR_SECONDS),
    BurnTier(
        Alert.BURN_SIX_HOURS,
        Severity.PAGE,
        6 * HOUR_SECONDS,
        1_800,
        0.05,
        6 * HOUR_SECONDS,
    ),
    BurnTier(
        Alert.BURN_THREE_DAYS,
        Severity.TICKET,
        3 * DAY_SECONDS,
        6 * HOUR_SECONDS,
        0.10,
        3 * DAY_SECONDS,
    ),
)
"""The first two say how urgent healing is, the next two (the SRE workbook's) wake a person, the last waits for office hours."""

ERRORS_MIN = 5
"""Fewer errors in the short window are no signal: on a quiet service two of ten would be 20 %."""

BUDGET_WINDOWS_DAYS = (7, 28, 30, 90)
"""Windows budgets are kept over; an objective's window counts as the next longer of these."""


def tier(alert: Alert) -> BurnTier:
    """
    The tier behind an alert.

    Raises:
        KeyError: It is no burn alert.
    """
    for candidate in TIERS:
        if candidate.alert is alert:
            return candidate
    raise KeyError(alert)


def bad_seconds(bad_requests: float, requests_per_second: float) -> float:
    """
    Seconds of full outage that so many bad requests amount to; 0 without traffic.
    """
    return bad_requests / requests_per_second if requests_per_second > 0 else 0.0


def budget_left_ratio(objective: Objective, spent_seconds: float) -> float:
    """
    The share of the window's budget that is left; negative when overspent.
    """
    return 1.0 - spent_seconds / objective.budget_seconds


def window_text(seconds: int) -> str:
    """
    A duration as Prometheus writes it, in its largest whole unit: 90 -> `90s`, 300 -> `5m`.
    """
    for unit, size in (
        ("d", DAY_SECONDS),
        ("h", HOUR_SECONDS),
        ("m", MINUTE_SECONDS),
    ):
        if seconds % size == 0 and seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
