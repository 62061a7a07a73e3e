"""
The `Metrics` Protocol: dated samples for a query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Sample:
    """
    One measured value with its labels and its moment.
    """

    labels: Mapping[str, str]
    value: float
    at: datetime


class MetricsError(Exception):
    """
    Measurements could not be read: we are blind, which is no statement about health.
    """


class Metrics(Protocol):
    """
    A source of measurements. Thread-safe.
    """

    def instant(self, query: str) -> tuple[Sample, ...]:
        """
        A PromQL expression's value now; an empty tuple means no data. Raises MetricsError.
        """
        ...

    def over(
        self, query: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Sample, ...]:
        """
        The expression's values over a time span. Raises MetricsError.
        """
        ...

    def ready(self) -> bool:
        """
        Whether the source answers.
        """
        ...
