"""
Grafana's JSON from our boards, by grafana-foundation-sdk; its only importer. Pure: the committed files under dashboards/generated/ are
compared with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders import prometheus as source
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from dashboards import batch, cases, overview, service, stateful
from dashboards.panel import Board, Kind, Panel, Query

GENERATED_DIR = Path("dashboards") / "generated"

_DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
_BUILDERS: dict[Kind, Any] = {
    Kind.LINES: timeseries.Panel,
    Kind.NUMBER: stat.Panel,
    Kind.BARS: bargauge.Panel,
    Kind.TABLE: table.Panel,
}


def boards() -> tuple[Board, ...]:
    """
    All dashboards.
    """
    return (
        overview.board(),
        service.board(),
        cases.board(),
        *stateful.boards(),
        batch.board(),
    )


def queries(blueprint: str | None = None) -> tuple[tuple[str, str, Query], ...]:
    """
    Every query with its board's and panel's titles, of the boards that show any service or of those of one kind: each must give data on a running
    platform.
    """
    return tuple(
        (board.title, panel.title, query)
        for board in boards()
        if board.blueprint == blueprint
        for row in board.rows
        for panel in row.panels
        for query in panel.queries
    )


def generate(root: Path) -> dict[Path, str]:
    """
    What `dashboards/generated/` below `root` has to contain.
    """
    return {
        root / GENERATED_DIR / f"{board.uid}.json": render(board) for board in boards()
    }


def render(board: Board) -> str:
    """
    One dashboard as Grafana imports it.
    """
    builder = (
        grafana.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags(["fournines"])
        .time(board.span, "now")
        .refresh("5s")
        .timezone("browser")
        .readonly()
        .with_variable(
            grafana.DatasourceVariable("datasource").label("Source").type("prometheus")
        )
    )
    for name, query in board.variables:
        builder.with_variable(
            grafana.QueryVariable(name)
            .label(name.capitalize())
            .datasource(_DATASOURCE)
            .query(query)
            .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(model.VariableSort.ALPHABETICAL_ASC)
        )
    for row in board.rows:
        builder.with_row(grafana.Row(row.title))
        for panel in row.panels:
            builder.with_panel(_panel(panel))
    text = json.dumps(builder.build(), cls=JSONEncoder, indent=2, sort_keys=True)
    return text + "\n"


def _panel(panel: Panel) -> Any:
    built = (
        _BUILDERS[panel.kind]()
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .span(panel.columns)
        .height(panel.rows)
        .datasource(_DATASOURCE)
        .thresholds(_thresholds(panel))
    )
    for number, query in enumerate(panel.queries):
        built.with_target(_target(panel, query, chr(ord("A") + number)))
    return built


def _target(panel: Panel, query: Query, ref: str) -> Any:
    target = source.Dataquery().expr(query.expr).ref_id(ref).datasource(_DATASOURCE)
    if query.legend:
        target.legend_format(query.legend)
    return target.range() if panel.kind is Kind.LINES else target.instant()


def _thresholds(panel: Panel) -> Any:
    steps = [model.Threshold(value=None, color="green")]
    if panel.red_below is not None:
        steps = [
            model.Threshold(value=None, color="red"),
            model.Threshold(value=panel.red_below, color="green"),
        ]
    elif panel.red_above is not None:
        steps.append(model.Threshold(value=panel.red_above, color="red"))
    return grafana.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)
