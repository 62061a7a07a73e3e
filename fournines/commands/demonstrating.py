"""
demo: the whole story in a few minutes, and its report.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from fournines.commands import deploying, frame
from fournines.demo import story
from fournines.demo.report import Report
from fournines.demo.story import Stage
from fournines.local import bring_up
from fournines.model.desired import Platform
from fournines.settings import ROOT, settings
from tasks import deployment, opening, request
from tasks.workshop import Workshop

app = typer.Typer(rich_markup_mode=None)

EXAMPLE = ROOT / "examples" / "platform.yaml"

ReportOption = Annotated[
    Path | None, typer.Option("--report", help="Also as JSON; DEMO_REPORT does it too.")
]


@app.command()
def demo(*, to: ReportOption = None) -> None:
    """
    Bring everything up, deploy, load, break, heal, report. Exit status 0 only when every case recovered and the plan is empty.
    """
    chosen = settings()
    bring_up(chosen, frame.say)
    desired = request.read_platform(EXAMPLE)
    begin = time.monotonic()
    deploying.deploy(EXAMPLE)
    deploy_seconds = time.monotonic() - begin
    with opening.workshop(chosen) as workshop:
        made = story.run(
            _stage(workshop, desired),
            deploy_seconds=deploy_seconds,
            plan_is_empty=lambda: _settled(workshop, desired),
        )
    _show(made)
    given = os.environ.get("DEMO_REPORT")
    file = to or (Path(given) if given else None)
    if file is not None:
        story.write_report(made, file)
    frame.say(f"Prefect      {chosen.url('prefect')}")
    frame.say(f"Prometheus   {chosen.url('prometheus')}")
    frame.say("cases        fournines cases      the end: make demo-down")
    if not made.recovered:
        raise typer.Exit(frame.FAILED)


def _stage(workshop: Workshop, desired: Platform) -> Stage:
    return Stage(
        settings=workshop.settings,
        console=frame.out,
        cloud=workshop.cloud,
        store=workshop.store,
        platform=desired,
        service=desired.services[0],
    )


def _show(made: Report) -> None:
    shown = frame.table(
        "fault",
        "detected",
        "out of pool",
        "redundancy",
        "requests",
        "bad",
        "budget",
        "verdict",
        title="\nWhat users saw",
    )
    for row in made.faults:
        shown.add_row(
            row.kind,
            _after(row.detected_seconds),
            _after(row.out_of_pool_seconds),
            _after(row.redundancy_restored_seconds),
            str(row.requests),
            str(row.bad_requests),
            f"{row.budget_seconds:.2f} s",
            row.verdict,
        )
    frame.out.print(shown)
    frame.say(
        f"deployed in {made.deploy_seconds} s; {made.bad_requests} of {made.requests} "
        f"requests failed: {made.budget_seconds:.2f} s of the month's budget"
    )


def _after(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def _settled(workshop: Workshop, desired: Platform) -> bool:
    made, refusals = deployment.plan(workshop, desired)
    return made.empty and not made.refusals and not refusals
