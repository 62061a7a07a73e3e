"""
The demonstration, read top to bottom: bring up, deploy, load, five faults one after another, report.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from fournines.cloud.protocol import Cloud
from fournines.demo import report, tally, timeline
from fournines.demo.load_process import LoadProcess
from fournines.demo.report import FaultRow, Report
from fournines.local import cloud_command
from fournines.model import names
from fournines.model.case import Case, Diagnosis
from fournines.model.desired import Platform, Service
from fournines.model.inventory import Member
from fournines.model.objective import Indicator
from fournines.model.value import Value
from fournines.settings import Settings
from fournines.store.protocol import Store

KINDS = ("kill", "hang", "errors", "grey-errors", "grey-slow")
RATE = 200.0
"""Requests a second: one bad request is 5 ms of outage."""

WARM_UP_SECONDS = 8
"""Load before the first fault: the rules' short windows (10 s) must know what is normal."""

CASE_SECONDS_MAX = 120
"""A case that has not ended by then counts as not recovered; on an idle machine they end within 20."""

REST_SECONDS = 6
"""Between two faults: the short windows forget the last one."""

_LOAD_SECONDS_MAX = 900


class DemoError(Exception):
    """
    The demonstration cannot go on; the message says what to do.
    """


@dataclass(slots=True)
class Stage:
    """
    What the demonstration works with.
    """

    settings: Settings
    console: Console
    cloud: Cloud
    store: Store
    platform: Platform
    service: Service

    @property
    def threshold_seconds(self) -> float:
        """
        The service's latency promise; without one an answer within 1 s is good.
        """
        for objective in self.service.objectives:
            if objective.indicator is Indicator.LATENCY:
                return objective.threshold_seconds or 1.0
        return 1.0

    @property
    def load_balancer(self) -> str:
        """
        The load balancer's name.
        """
        return self.service.load_balancers[0].name

    @property
    def pool(self) -> str:
        """
        The pool's name.
        """
        return self.service.load_balancers[0].pools[0].name


def address(stage: Stage) -> str:
    """
    The service's URL for people.
    """
    inventory = stage.cloud.inventory(stage.platform.name, stage.service.name)
    balancer = inventory.load_balancer(stage.load_balancer)
    if balancer is None or balancer.floating_address is None:
        raise DemoError(
            f"{stage.load_balancer} has no floating IP; see: fournines plan"
        )
    return f"http://{balancer.floating_address}/"


def run(
    stage: Stage, *, deploy_seconds: float, plan_is_empty: Callable[[], bool]
) -> Report:
    """
    Load the service, break it in every way, and report.
    """
    output = stage.settings.state_dir / "demo" / "load.jsonl"
    url = address(stage)
    stage.console.rule(f"[bold]{RATE:.0f} requests/s to {url}")
    stage.console.print(timeline.legend())
    rows: list[FaultRow] = []
    with LoadProcess(url, RATE, _LOAD_SECONDS_MAX, output) as load:
        _watch(stage, load, WARM_UP_SECONDS)
        for number, kind in enumerate(KINDS):
            rows.append(fault(stage, load, kind, number))
            _watch(stage, load, REST_SECONDS)
    total = tally.tally(load.requests, stage.threshold_seconds)
    return Report(
        deploy_seconds=round(deploy_seconds, 1),
        requests=total.requests,
        bad_requests=total.bad,
        budget_seconds=round(tally.budget_seconds(total.bad, RATE), 3),
        faults=tuple(rows),
        plan_empty_afterwards=plan_is_empty(),
    )


def fault(
    stage: Stage,
    load: LoadProcess,
    kind: str,
    number: int,
    *,
    seconds_max: float = CASE_SECONDS_MAX,
) -> FaultRow:
    """
    Break one serving member and watch until its case ends and redundancy is back, or the time is up.
    """
    members = _members(stage)
    serving = [m for m in members if m.weight > 0 and m.operating_status == "ONLINE"]
    if not serving:
        raise DemoError("no member serves; see: fournines status")
    victim = serving[number % len(serving)].name
    stage.console.rule(f"[bold red]{kind}[/] {victim}")
    with ThreadPoolExecutor(1, "break") as beside:
        # The timeline goes on meanwhile: users do not wait for the one who breaks things.
        breaking = beside.submit(break_instance, stage.settings, kind, victim)
        while not breaking.done():
            _tick(stage, load, None)
        fault_at = breaking.result()
    case: Case | None = None
    deadline = fault_at + seconds_max
    while time.time() < deadline and not (case and case.state.ended):
        _tick(stage, load, case)
        case = case_of(stage.store, victim, fault_at) or case
    ended_at = time.time()
    load.refresh()
    row = report.row(
        kind,
        victim,
        case,
        load.requests,
        fault_at=fault_at,
        ended_at=ended_at,
        rate=RATE,
        threshold_seconds=stage.threshold_seconds,
    )
    stage.console.print(f"[bold]{row.verdict}[/]  {case.verdict if case else ''}")
    return row


def break_instance(settings: Settings, kind: str, instance: str) -> float:
    """
    Inject a fault below the cloud's API; returns its moment in epoch seconds.
    """
    done = subprocess.run(
        [
            str(cloud_command.interpreter()),
            *("-m", "fournines_sandbox", "--home", str(settings.sandbox_home)),
            *("--slot", str(settings.resolved_slot)),
            *("break", kind, instance, "--json"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    after = time.time()
    if done.returncode != 0:
        raise DemoError(f"breaking {instance} failed: {done.stderr.strip()[-400:]}")
    said = json.loads(done.stdout)
    at = said.get("at")
    return datetime.fromisoformat(at).timestamp() if at else after


def _watch(stage: Stage, load: LoadProcess, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _tick(stage, load, None)


def _tick(stage: Stage, load: LoadProcess, case: Case | None) -> None:
    begin = time.monotonic()
    load.refresh()
    now = time.time()
    seen = tally.tally(
        tally.between(load.requests[-2_000:], now - 2, now - 1), stage.threshold_seconds
    )
    stage.console.print(
        timeline.line(datetime.now(UTC), seen, _members(stage), case),
        overflow="ellipsis",
        no_wrap=True,
    )
    time.sleep(max(0.0, 1.0 - (time.monotonic() - begin)))


def _members(stage: Stage) -> tuple[Member, ...]:
    pool = stage.cloud.pool(stage.load_balancer, stage.pool)
    return tuple(sorted(pool.members, key=lambda member: member.name))


def case_of(store: Store, victim: str, fault_at: float) -> Case | None:
    """
    What became of a fault: the latest case of the victim's slot since, one in which something was done before one in which nothing was.
    """
    since = datetime.fromtimestamp(fault_at, UTC) - timedelta(seconds=1)
    here = [case for case in store.cases.cases(since=since) if _is_about(case, victim)]
    acted = [case for case in here if case.diagnosis is not Diagnosis.NOTHING]
    return next(iter(acted or here), None)


def _is_about(case: Case, victim: str) -> bool:
    at = case.subject
    if at.group is None or at.slot is None:
        return False
    place = names.slot(at.platform, at.service, at.group, at.slot)
    return victim.rpartition("-g")[0] == place


def write_report(made: Value, file: Path) -> None:
    """
    The report as JSON.
    """
    content = made.model_dump(mode="json", by_alias=True)
    file.write_text(json.dumps(content, indent=2) + "\n")
