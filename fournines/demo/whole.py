"""
The demonstration of a whole platform: every service is used at once, one after the other loses a member, and each heals while its users go on.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.text import Text

from blueprints.postgres import backups
from fournines.cloud.errors import CloudError
from fournines.demo import batch_array, past, story
from fournines.demo.load_process import LoadProcess
from fournines.demo.story import DemoError, Stage
from fournines.demo.whole_report import RECOVERED, ServiceRow, WholeReport
from fournines.demo.words import USERS
from fournines.demo.writer import Writer, longest_wait
from fournines.model.case import Case
from fournines.model.cluster import ClusterMember, ClusterView
from fournines.model.desired import Service
from tasks import membership
from tasks.operators.registered import access_of
from tasks.workshop import Workshop

RATE = 50.0
"""Requests a second to the web service: two cores carry a database, a bus and a cache beside it."""

WARM_UP_SECONDS = 10
REST_SECONDS = 6

LEADER_SECONDS_MAX = 90.0
"""An election takes ten seconds, and who speaks for a busy cluster may be silent for as long."""

CASE_SECONDS_MAX = 300
"""A member of a cluster comes back onto its volume and catches up; the next fault waits for that."""

WEB_FAULT = "kill"
MEMBER_FAULT = "kill"

_LOAD_SECONDS_MAX = 3_600


@dataclass(slots=True)
class Scene:
    """
    A platform in use.
    """

    workshop: Workshop
    web: Stage
    load: LoadProcess
    writers: dict[str, Writer] = field(default_factory=dict)

    @property
    def platform(self) -> str:
        """Its name."""
        return self.web.platform.name

    def view(self, service: Service) -> ClusterView | None:
        """
        What a stateful service says of itself; None while it does not speak.
        """
        try:
            inventory = self.workshop.cloud.inventory(self.platform)
        except CloudError:
            return None
        views = membership.views(
            self.workshop, self.web.platform, inventory, service.name
        )
        return views.get((service.name, service.groups[0].name))


def run(
    workshop: Workshop,
    web: Stage,
    *,
    deploy_seconds: float,
    plan_is_empty: Callable[[], bool],
) -> WholeReport:
    """
    Use every service, break one after the other, and report.

    Raises:
        DemoError: The demonstration cannot go on.
    """
    url = story.address(web)
    output = web.settings.state_dir / "demo" / "load.jsonl"
    rows: list[ServiceRow] = []
    used = [s for s in web.platform.services if s.blueprint in USERS]
    with ExitStack() as stack:
        load = stack.enter_context(LoadProcess(url, RATE, _LOAD_SECONDS_MAX, output))
        scene = Scene(workshop, web, load)
        for service in used:
            scene.writers[service.name] = stack.enter_context(_user(scene, service))
        web.console.rule(f"[bold]{RATE:.0f} requests/s to {url}, and a writer on each")
        _watch(scene, WARM_UP_SECONDS)
        rows.append(_web_fault(scene))
        for service in used:
            _watch(scene, REST_SECONDS)
            rows.append(_member_fault(scene, service))
        _watch(scene, REST_SECONDS)
        restored = [
            row
            for service in used
            if service.blueprint == backups.BLUEPRINT
            for row in _restores(scene, service)
        ]
        worked = [
            _array(scene, service)
            for service in web.platform.services
            if service.blueprint == "batch"
        ]
    rows = [*(_counted(scene, row) for row in rows), *restored, *worked]
    return WholeReport(
        deploy_seconds=round(deploy_seconds, 1),
        services=tuple(rows),
        plan_empty_afterwards=plan_is_empty(),
    )


def _user(scene: Scene, service: Service) -> Writer:
    """
    Who writes to a service from now on.
    """
    balancer = service.load_balancers[0].name
    entrances = scene.workshop.cloud.entrances(balancer)
    if not entrances:
        raise DemoError(f"{balancer} has no address; see: fournines plan")
    users = USERS[service.blueprint]
    words = users(access_of(scene.workshop)(service), service, entrances[0])
    return Writer(words, f"{service.name}-{secrets.token_hex(4)}")


def _web_fault(scene: Scene) -> ServiceRow:
    """
    One member of the web service.
    """
    seen = story.fault(
        scene.web, scene.load, WEB_FAULT, 0, seconds_max=CASE_SECONDS_MAX
    )
    return ServiceRow(
        kind=scene.web.service.blueprint,
        service=scene.web.service.name,
        fault=seen.kind,
        subject=seen.instance,
        case_id=seen.case_id,
        waited_seconds=seen.budget_seconds,
        recovered_seconds=seen.redundancy_restored_seconds,
        acknowledged=seen.requests - seen.bad_requests,
        lost=0,
        verdict=seen.verdict,
    )


def _member_fault(scene: Scene, service: Service) -> ServiceRow:
    """
    The member of a stateful service that takes the writes.
    """
    writer = scene.writers[service.name]
    victim = _leader(scene, service)
    assert victim.instance is not None
    scene.web.console.rule(
        f"[bold red]{MEMBER_FAULT}[/] {victim.instance} ({victim.role.value} of {service.name})"
    )
    fault_at = story.break_instance(scene.web.settings, MEMBER_FAULT, victim.instance)
    deadline = fault_at + CASE_SECONDS_MAX
    case: Case | None = None
    whole_at: float | None = None
    while time.time() < deadline and whole_at is None:
        _tick(scene, case)
        case = story.case_of(scene.workshop.store, victim.instance, fault_at) or case
        if case is not None and case.state.ended:
            whole_at = _whole(scene, service)
    scene.web.console.print(f"[bold]{_verdict(case, whole_at)}[/]")
    moments = [at for at, _ in list(writer.acknowledged)]
    return ServiceRow(
        kind=service.blueprint,
        service=service.name,
        fault=MEMBER_FAULT,
        subject=victim.instance,
        case_id=case.id if case else None,
        waited_seconds=round(longest_wait(moments, fault_at, time.time()), 2),
        recovered_seconds=None if whole_at is None else round(whole_at - fault_at, 1),
        acknowledged=0,
        lost=0,
        verdict=_verdict(case, whole_at),
    )


def _restores(scene: Scene, service: Service) -> tuple[ServiceRow, ...]:
    """
    A database as it was, while it goes on; and what is kept of it, tried.
    """
    console = scene.web.console
    console.rule(f"[bold]back to a moment: {service.name}")
    writer = scene.writers[service.name]
    workshop, platform = scene.workshop, scene.platform
    back = past.come_back(workshop, platform, service, writer, console.print)
    console.rule(f"[bold]drill: {service.name}")
    return back, *past.drill(workshop, platform, service, console.print)


def _array(scene: Scene, service: Service) -> ServiceRow:
    """
    An array of tasks whose worker is killed; over once that is whole again, too.
    """
    console = scene.web.console
    console.rule(f"[bold]an array of {batch_array.COUNT} tasks: {service.name}")

    def kill(worker: str) -> float:
        return story.break_instance(scene.web.settings, MEMBER_FAULT, worker)

    row, fault_at = batch_array.run(scene.workshop, service, kill, console.print)
    case: Case | None = None
    while not (case and case.state.ended) and time.time() < fault_at + CASE_SECONDS_MAX:
        _tick(scene, case)
        case = story.case_of(scene.workshop.store, row.subject, fault_at) or case
    if case is None or case.state.value != RECOVERED:
        row = row.model_copy(update={"verdict": _verdict(case, None)})
    return row.model_copy(update={"case_id": case.id if case else None})


def _leader(scene: Scene, service: Service) -> ClusterMember:
    """
    Who leads; for a moment it may be that nobody does, or that nobody says so.
    """
    deadline = time.monotonic() + LEADER_SECONDS_MAX
    while time.monotonic() < deadline:
        view = scene.view(service)
        member = view.member(view.leader or "") if view else None
        if member is not None and member.instance is not None:
            return member
        _tick(scene, None)
    raise DemoError(
        f"{service.name} has had no leader for {LEADER_SECONDS_MAX:.0f} s; "
        f"see: fournines cases --service {service.name}"
    )


def _whole(scene: Scene, service: Service) -> float | None:
    """
    Now, when all its members are settled, whether the broken one was restarted or replaced; None while they are not.
    """
    view = scene.view(service)
    if view is None or len(view.members) < service.groups[0].count:
        return None
    return time.time() if all(m.settled for m in view.members) else None


def _verdict(case: Case | None, whole_at: float | None) -> str:
    if case is None:
        return "not noticed"
    if whole_at is None:
        return f"{case.state.value}, not whole"
    return case.state.value


def _counted(scene: Scene, row: ServiceRow) -> ServiceRow:
    """
    With what its users were told is done, and what of that is not there.
    """
    writer = scene.writers.get(row.service)
    if writer is None:
        return row
    said = writer.said()
    lost = said - writer.words.found(said)
    return row.model_copy(
        update={
            "acknowledged": len(said),
            "lost": len(lost),
            "verdict": row.verdict if not lost else f"{len(lost)} lost",
        }
    )


def _watch(scene: Scene, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _tick(scene, None)


def _tick(scene: Scene, case: Case | None) -> None:
    """
    One second, as one line.
    """
    begin, now = time.monotonic(), time.time()
    scene.load.refresh()
    requests = [r for r in scene.load.requests[-500:] if now - 2 <= r.started < now - 1]
    text = Text(datetime.now(UTC).strftime("%H:%M:%S "), style="dim")
    text.append(f"{scene.web.service.name} {len(requests):3d}/s  ")
    for name, writer in scene.writers.items():
        good, bad = writer.since(now - 1)
        text.append(f"{name} {good:2d}/s ", style="green" if good else "bold red")
        text.append(f"{bad} failed  " if bad else "", style="red")
    if case is not None:
        text.append(f" {case.id} ", style="dim")
        text.append(case.state.value, style="bold cyan")
        text.append(f" ({case.diagnosis.value})" if case.diagnosis else "")
        text.append(f"  {case.events[-1].text}" if case.events else "", style="dim")
    scene.web.console.print(text, overflow="ellipsis", no_wrap=True)
    time.sleep(max(0.0, 1.0 - (time.monotonic() - begin)))
