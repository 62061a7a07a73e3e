"""
slo: what was promised, what is left of each budget, and how fast it burns.
"""

from __future__ import annotations

from typing import Annotated

import typer

from flows import promises
from flows.promises import BURN_WINDOWS, Promise
from fournines.commands import frame
from fournines.commands.frame import JsonOption
from fournines.metrics.prometheus import Prometheus
from fournines.metrics.protocol import MetricsError
from fournines.model.objective import TIMED
from fournines.settings import settings

app = typer.Typer(rich_markup_mode=None)

NOT_MEASURED = "-"


@app.command()
def slo(
    service: Annotated[
        str | None, typer.Argument(help="Only this service's objectives.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """
    What was promised, what is left of each budget, and how fast it burns.
    """
    with frame.store() as store:
        known = store.registry.platforms()
    if service is not None and not any(
        one.name == service for platform in known for one in platform.services
    ):
        raise frame.Stop(f"no service {service!r} is deployed", frame.WRONG)
    metrics = Prometheus(settings().url("prometheus"))
    try:
        found = promises.read(metrics, known, service=service)
    except MetricsError as error:
        raise frame.Stop(f"Prometheus was not read: {error}", frame.FAILED) from error
    if as_json:
        frame.say_json([one.model_dump(mode="json") for one in found])
        return
    shown = frame.table(
        "service",
        "objective",
        "promised",
        "budget left",
        "spent",
        *(f"burn {window}" for window in BURN_WINDOWS),
    )
    for one in found:
        shown.add_row(*_row(one))
    frame.out.print(shown)
    if not found:
        frame.say("nothing is promised")


def _row(one: Promise) -> tuple[str, ...]:
    objective = one.objective
    said = f"{objective.target:.4%} over {objective.window_days} d"
    if objective.indicator in TIMED:
        said += f" within {objective.threshold_seconds:g} s"
    return (
        f"{one.platform}/{one.service}",
        f"{objective.name} ({objective.indicator})",
        said,
        NOT_MEASURED if one.left_ratio is None else f"{one.left_ratio:.2%}",
        NOT_MEASURED if one.spent_seconds is None else f"{one.spent_seconds:.1f} s",
        *(
            NOT_MEASURED if ratio is None else f"{ratio:.1f}"
            for ratio in (one.burn[window] for window in BURN_WINDOWS)
        ),
    )
