"""
demo: the whole story in a few minutes. load: requests to a URL of this machine, as the demonstration sends them.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer

from fournines.commands import demonstrated as showing
from fournines.commands import deploying, frame, looking
from fournines.demo import load as load_generator
from fournines.demo import story, whole
from fournines.demo.report import Report
from fournines.demo.story import Stage
from fournines.demo.whole_report import WholeReport
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
WHOLE_FILE = ROOT / "examples" / "platform.yaml"
REPORT_VARIABLE = "DEMO_REPORT"
MEASURED_SECONDS = 60
"""Service discovery and a first scrape take a few seconds; two busy cores some more."""

BUSY_SECONDS = 180
"""An earlier demonstration that was interrupted may have left broken members: healing them comes first."""

SETTLED_SECONDS = 30
"""The last replaced instance is still being deleted when its case closes."""


@app.command()
def demo(
    *,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="A whole platform with database, bus and cache; its images are baked first.",
        ),
    ] = False,
) -> None:
    """
    Deploy a platform, load it, break it, and show it healing: a web service in five ways, or with --full a whole platform.
    """
    chosen = settings()
    frame.out.rule("[bold]1. bring everything up")
    bring_up(chosen, frame.say)
    shown = WHOLE_FILE if full else PLATFORM_FILE
    frame.out.rule(f"[bold]2. deploy {shown.relative_to(ROOT)} through Prefect")
    desired = request.read_platform(shown)
    begin = time.monotonic()
    _deploy(shown)
    deploy_seconds = time.monotonic() - begin
    made: Report | WholeReport
    with frame.workshop() as workshop:
        stage = _stage(workshop, desired)
        if full:
            made = whole.run(
                workshop,
                stage,
                deploy_seconds=deploy_seconds,
                plan_is_empty=lambda: _settles(workshop, desired),
            )
            frame.out.rule("[bold]3. what happened")
            frame.say(
                "how long users waited at most, after how long it was whole again, what "
                "they were told is done, and what of that was not found:"
            )
            frame.out.print(showing.services_table(made, desired.name))
            _show_end(made, workshop, desired, [row.case_id for row in made.services])
        else:
            made = story.run(
                stage,
                deploy_seconds=deploy_seconds,
                plan_is_empty=lambda: _settles(workshop, desired),
            )
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
    for_parent: Annotated[bool, typer.Option("--for-parent", hidden=True)] = False,
) -> None:
    """
    Send requests on schedule and note when each was sent, how long it took, and its status.
    """
    sent = asyncio.run(
        load_generator.generate(
            url, rate=rate, seconds=seconds, output=output, for_parent=for_parent
        )
    )
    frame.say(f"{sent} requests sent; each is a line of {output}")


def _deploy(file: Path) -> None:
    """
    Deploy; what an earlier demonstration left to heal is healed first.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            deploying.deploy(file)
        except LeaseHeld as held:
            if time.monotonic() > deadline:
                raise
            frame.say(f"waiting: {held}")
            time.sleep(5)
        else:
            return


def _stage(workshop: Workshop, desired: Platform) -> Stage:
    """
    The web service of a platform, once every member of it is measured.
    """
    service = next(s for s in desired.services if s.blueprint == "web")
    _await_measured(workshop.settings, service.name, service.groups[0].count)
    return Stage(
        settings=workshop.settings,
        console=frame.out,
        cloud=workshop.cloud,
        store=workshop.store,
        platform=desired,
        service=service,
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
    frame.out.print(showing.fault_table(made))
    objective = desired.services[0].objectives[0]
    left = objective.budget_seconds - made.budget_seconds
    frame.say(
        f"{made.requests} requests, {made.bad_requests} bad: "
        f"{made.budget_seconds:.2f} s of the {objective.budget_seconds:.1f} s that "
        f"{objective.target:.2%} leaves in {objective.window_days} days; "
        f"{left / objective.budget_seconds:.1%} of the month's budget is left"
    )
    _show_end(made, workshop, desired, [row.case_id for row in made.faults])


def _show_end(
    made: Report | WholeReport,
    workshop: Workshop,
    desired: Platform,
    case_ids: Sequence[str | None],
) -> None:
    empty = "is empty" if made.plan_empty_afterwards else "is NOT empty"
    frame.say(f"deployed in {made.deploy_seconds:.1f} s; the plan afterwards {empty}")
    _show_links(workshop, desired, [one for one in case_ids if one])


def _show_links(workshop: Workshop, desired: Platform, cases: Sequence[str]) -> None:
    chosen = workshop.settings
    inventory = workshop.cloud.inventory(desired.name)
    frame.out.rule("[bold]4. look around")
    for service in desired.services:
        for text in looking.outputs(service, inventory).values():
            frame.say(f"{service.name:<17} {text}")
    frame.say(f"Prefect           {chosen.url('prefect')}/runs")
    frame.say(f"this deployment   {_newest_run(chosen)}")
    frame.say(f"Prometheus        {chosen.url('prometheus')}/alerts")
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
