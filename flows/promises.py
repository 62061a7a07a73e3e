"""
What was promised to each service, and what is left of it, as Prometheus measures it: of services with HTTP and without alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from alerts import conventions as c
from fournines.metrics.protocol import Metrics
from fournines.model.desired import Platform
from fournines.model.objective import Objective
from fournines.model.value import Value

BURN_WINDOWS = ("5m", "1h")

Key = tuple[str, str, str]


class Promise(Value):
    """
    One objective of one service and how it stands. Each figure is None while it is not measured.

    Attributes:
        left_ratio: The share of the window's budget that is left; negative when overspent.
        spent_seconds: What is spent of it, in seconds of full outage.
        burn: How many times faster than allowed it burns, by window; 1 lasts exactly the objective's window.
    """

    platform: str
    service: str
    objective: Objective
    left_ratio: float | None = None
    spent_seconds: float | None = None
    burn: dict[str, float | None] = Field(default_factory=dict)


def read(
    metrics: Metrics, platforms: Iterable[Platform], *, service: str | None = None
) -> tuple[Promise, ...]:
    """
    Every objective of every service, or of one.

    Raises:
        MetricsError: Prometheus does not answer.
    """
    left = _by_objective(metrics, c.REC_BUDGET_REMAINING)
    spent = _by_objective(metrics, c.REC_BUDGET_SPENT)
    bad = {
        window: _by_objective(
            metrics, f"{c.errors_over(window)} / ({c.total_over(window)} > 0)"
        )
        for window in BURN_WINDOWS
    }
    return tuple(
        Promise(
            platform=platform.name,
            service=one.name,
            objective=objective,
            left_ratio=left.get(key),
            spent_seconds=spent.get(key),
            burn={
                window: None if ratio is None else ratio / objective.budget_ratio
                for window in BURN_WINDOWS
                for ratio in [bad[window].get(key)]
            },
        )
        for platform in platforms
        for one in platform.services
        if service in {None, one.name}
        for objective in one.objectives
        for key in [(platform.name, one.name, objective.name)]
    )


def _by_objective(metrics: Metrics, expr: str) -> dict[Key, float]:
    return {
        (
            labels.get(c.PLATFORM, ""),
            labels.get(c.SERVICE, ""),
            labels.get(c.SLO, ""),
        ): (sample.value)
        for sample in metrics.instant(expr)
        for labels in [sample.labels]
        if sample.value == sample.value
    }
