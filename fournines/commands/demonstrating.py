"""
demo: the whole story in a few minutes. load: requests to a URL of this machine, as the demonstration sends them.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.table import Table

from fournines.commands import deploying, frame
from fournines.demo import load as load_generator
from fournines.demo import story
from fournines.demo.report import Report
from fournines.demo.story import Stage
from fournines.local.bringing_up import bring_up
from fournines.metrics.prometheus import Prometheus
from fournines.metrics.protocol import MetricsError
from fournines.model.desired import Platform
from fournines.settings import ROOT, Settings, settings
from fournines.store.protocol import LeaseHeld
from tasks import deployment, request
from tasks.workshop import Workshop

app = typer.Typer(rich_markup_mode=None)

PLATFORM_FILE = ROOT / "examples" / "shop.yaml"
REPORT_VARIABLE = "DEMO_REPORT"
MEASURED_SECONDS = 60
"""Service discovery and a first scrape take a few seconds; two busy cores some more."""

BUSY_SECONDS = 180
"""An earlier demonstration that was interrupted may have left broken members: healing them comes first."""

SETTLED_SECONDS = 30
"""The last replaced instance is still being deleted when its case closes."""


@app.command()
def demo() -> None:
    """
    Deploy a platform, load it, break it five ways, and show it healing.
    """
    chosen = settings()
    frame.out.rule("[bold]1. bring everything up")
    bring_up(chosen, frame.say)
    frame.out.rule("[bold]2. deploy examples/shop.yaml through Prefect")
    desired = request.read_platform(PLATFORM_FILE)
    begin = time.monotonic()
    _deploy()
    deploy_seconds = time.monotonic() - begin
    with frame.workshop() as workshop:
        made = _play(workshop, desired, deploy_seconds)
        _show(made, workshop, desired)
    file = os.environ.get(REPORT_VARIABLE)
    if file:
        story.write_report(made, Path(file))
        frame.say(f"The report as JSON: {file}")
    if not made.recovered:
        raise frame.Stop(
            "not every fault was healed; `fournines cases` says why, "
            "`fournines plan` what is left to do"
        )


@app.command()
def load(
    url: Annotated[str, typer.Argument(help="An address of this machine.")],
    *,
    rate: Annotated[
        float, typer.Option(min=0.1, max=load_generator.RATE_MAX, help="Requests/s.")
    ] = story.RATE,
    seconds: Annotated[
        float, typer.Option(min=1, max=load_generator.SECONDS_MAX)
    ] = 60.0,
    output: Annotated[Path, typer.Option(help="JSON lines.")] = Path("load.jsonl"),
) -> None:
    """
    Send requests on schedule and note when each was sent, how long it took, and its status.
    """
    sent = asyncio.run(
        load_generator.generate(url, rate=rate, seconds=seconds, output=output)
    )
    frame.say(f"{sent} requests sent; each is a line of {output}")


def _deploy() -> None:
    """
    Deploy; what an earlier demonstration left to heal is healed first.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            deploying.deploy(PLATFORM_FILE)
        except LeaseHeld as held:
            if time.monotonic() > deadline:
                raise
            frame.say(f"waiting: {held}")
            time.sleep(5)
        else:
            return


def _play(workshop: Workshop, desired: Platform, deploy_seconds: float) -> Report:
    service = desired.services[0]
    stage = Stage(
        settings=workshop.settings,
        console=frame.out,
        cloud=workshop.cloud,
        store=workshop.store,
        platform=desired,
        service=service,
    )
    _await_measured(workshop.settings, service.name, service.groups[0].count)
    return story.run(
        stage,
        deploy_seconds=deploy_seconds,
        plan_is_empty=lambda: _settles(workshop, desired),
    )


def _await_measured(chosen: Settings, service: str, count: int) -> None:
    """
    Until Prometheus probes every member: a fault before that would be seen later than usual.
    """
    metrics = Prometheus(chosen.url("prometheus"))
    deadline = time.monotonic() + MEASURED_SECONDS
    frame.say("waiting until every member is measured")
    while time.monotonic() < deadline:
        try:
            seen = metrics.instant(f'sum(probe_success{{service="{service}"}})')
        except MetricsError:
            seen = ()
        if seen and seen[0].value >= count:
            return
        time.sleep(0.5)
    raise frame.Stop(
        f"Prometheus does not probe all {count} members of {service}; look at "
        f"{chosen.url('prometheus')}/targets and at `fournines logs healer`"
    )


def _settles(workshop: Workshop, desired: Platform) -> bool:
    deadline = time.monotonic() + SETTLED_SECONDS
    while True:
        plan, refusals = deployment.plan(workshop, desired)
        if plan.empty and not refusals:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(1)


def _show(made: Report, workshop: Workshop, desired: Platform) -> None:
    frame.out.rule("[bold]3. what happened")
    frame.say("seconds from the fault until noticed, out of the pool, whole again:")
    frame.out.print(_fault_table(made))
    objective = desired.services[0].objectives[0]
    left = objective.budget_seconds - made.budget_seconds
    frame.say(
        f"{made.requests} requests, {made.bad_requests} bad: "
        f"{made.budget_seconds:.2f} s of the {objective.budget_seconds:.1f} s that "
        f"{objective.target:.2%} leaves in {objective.window_days} days; "
        f"{left / objective.budget_seconds:.1%} of the month's budget is left"
    )
    empty = "is empty" if made.plan_empty_afterwards else "is NOT empty"
    frame.say(f"deployed in {made.deploy_seconds:.1f} s; the plan afterwards {empty}")
    _show_links(workshop, desired, made)


def _fault_table(made: Report) -> Table:
    table = frame.table(
        "fault",
        "noticed",
        "out",
        "whole",
        "requests",
        "bad",
        "budget",
        "verdict",
    )
    for row in made.faults:
        table.add_row(
            row.kind,
            _after(row.detected_seconds),
            _after(row.out_of_pool_seconds),
            _after(row.redundancy_restored_seconds),
            str(row.requests),
            str(row.bad_requests),
            f"{row.budget_seconds:.2f} s",
            row.verdict,
        )
    return table


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def _show_links(workshop: Workshop, desired: Platform, made: Report) -> None:
    chosen = workshop.settings
    inventory = workshop.cloud.inventory(desired.name)
    frame.out.rule("[bold]4. look around")
    for balancer in inventory.load_balancers:
        frame.say(f"the service       http://{balancer.floating_address}/")
    frame.say(f"Prefect           {chosen.url('prefect')}/runs")
    frame.say(f"this deployment   {_newest_run(chosen)}")
    frame.say(f"Prometheus        {chosen.url('prometheus')}/alerts")
    cases = [row.case_id for row in made.faults if row.case_id]
    if cases:
        frame.say(f"the last case     fournines case {cases[-1]}")
    frame.say("all cases         fournines cases")
    frame.say("everything stays up; clear up with: make demo-down")


def _newest_run(chosen: Settings) -> str:
    """
    The newest deployment's page in the Prefect UI.
    """
    base = chosen.url("prefect")
    asked = {
        "flows": {"name": {"any_": ["deploy-platform"]}},
        "sort": "START_TIME_DESC",
        "limit": 1,
    }
    try:
        answer = httpx.post(
            f"{base}/api/flow_runs/filter", json=asked, timeout=5, trust_env=False
        ).json()
    except (httpx.HTTPError, ValueError):
        return f"{base}/runs"
    return f"{base}/runs/flow-run/{answer[0]['id']}" if answer else f"{base}/runs"
