"""
Panels and dashboards as values. What they ask stands here in our own names; how Grafana draws it is build.py's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PLATFORM_VARIABLE = "platform"
SERVICE_VARIABLE = "service"


class Kind(StrEnum):
    """
    How a panel shows its queries.
    """

    LINES = "lines"
    NUMBER = "number"
    BARS = "bars"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Query:
    """
    A PromQL expression, with `$platform` and `$service` where the dashboard has such variables, and the legend of its series.
    """

    expr: str
    legend: str = ""

    def resolved(self, *, platform: str, service: str) -> str:
        """
        The expression for one platform and service.
        """
        return self.expr.replace(f"${PLATFORM_VARIABLE}", platform).replace(
            f"${SERVICE_VARIABLE}", service
        )


@dataclass(frozen=True, slots=True)
class Panel:
    """
    One panel.

    Attributes:
        unit: Grafana's unit: percentunit, s, reqps, short.
        columns: Width of 24.
        red_below: A value that is worrying from here downwards.
        red_above: A value that is worrying from here upwards.
    """

    title: str
    queries: tuple[Query, ...]
    description: str
    kind: Kind = Kind.LINES
    unit: str = "short"
    columns: int = 12
    rows: int = 8
    red_below: float | None = None
    red_above: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """
    Panels under a heading.
    """

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """
    One dashboard; `variables` maps a variable to the query of its values.

    Attributes:
        blueprint: The only kind of service that it shows; None: it shows any.
    """

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[tuple[str, str], ...] = ()
    span: str = "now-30m"
    blueprint: str | None = None

    @property
    def queries(self) -> tuple[Query, ...]:
        """
        Every query of every panel.
        """
        return tuple(
            query
            for row in self.rows
            for panel in row.panels
            for query in panel.queries
        )
