"""
Service level objectives: what was promised, over which window, and what that leaves to spend.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from fournines.model.value import Value

SECONDS_PER_DAY = 86_400


class Indicator(StrEnum):
    """
    What is counted as bad: users' requests at the load balancer's edge; where users speak no HTTP, our own transactions through it; of a batch
    service, tasks that begin.
    """

    AVAILABILITY = "availability"
    LATENCY = "latency"
    TRANSACTIONS = "transactions"
    """One that fails: what was acknowledged cannot be read back, or nothing is acknowledged."""
    TRANSACTION_TIME = "transaction-time"
    """One that is slower than the threshold, or fails."""
    STARTS = "starts"
    """One that might begin and has not when its promise is over (blueprints/batch/guest/figures.py counts)."""


TIMED = frozenset({Indicator.LATENCY, Indicator.TRANSACTION_TIME})
"""Indicators that need a threshold."""


class Objective(Value):
    """
    One promise.

    Attributes:
        target: The share of good requests, e.g. 0.9999.
        window_days: The window over which it holds.
        threshold_seconds: For what is timed: a slower answer is bad.
    """

    name: str
    indicator: Indicator = Indicator.AVAILABILITY
    target: float = Field(0.9999, gt=0.5, lt=1.0)
    window_days: int = Field(30, ge=1, le=90)
    threshold_seconds: float | None = None

    @property
    def budget_ratio(self) -> float:
        """
        The share of requests that may be bad.
        """
        return 1.0 - self.target

    @property
    def budget_seconds(self) -> float:
        """
        Seconds of full outage the window allows: 259.2 for 99.99 % over 30 days.
        """
        return self.budget_ratio * self.window_days * SECONDS_PER_DAY
