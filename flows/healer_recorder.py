"""
Mirrors cases that were treated while Prefect was down into flow runs, afterwards, with their true times.

Prefect stamps states with its own present, so the true times stand in the messages, the log lines and the artifacts. A run carries its
case's tag, and is looked for before it is made: recording twice makes one run.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, LogCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed, Pending, Running

from flows import case_text, run_answers
from flows.heal import heal
from fournines import log
from fournines.model.case import Case, CaseEvent, CaseState
from tasks import artifacts, case_report, restraints
from tasks.case_report import CaseReport
from tasks.workshop import Workshop

PING_SECONDS_MAX = 0.8
"""The server answers in milliseconds; a slower one would hold up a healing."""

BACK_TO = timedelta(days=7)
"""Cases older than this are history nobody looks for in the UI."""

AT_ONCE = 20
"""Cases mirrored in one go."""

_log = log.get("recorder")


class Recorder:
    """
    Knows whether Prefect answers, and brings it up to date.

    Attributes:
        wanted: There is a Prefect to record in.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        url = workshop.settings.url("prefect")
        self._health = f"{url}/api/health"
        self._client = httpx.Client(timeout=PING_SECONDS_MAX, trust_env=False)
        # Without an address Prefect would start a server of its own inside this process.
        self.wanted = bool(PREFECT_API_URL.value())
        self.is_up = False
        self._shown: tuple[str, ...] | None = None

    def ping(self) -> bool:
        """
        Ask whether Prefect answers, and remember it.
        """
        if not self.wanted:
            return False
        try:
            self.is_up = self._client.get(self._health).status_code == 200
        except httpx.HTTPError:
            self.is_up = False
        return self.is_up

    def mirror(self) -> int:
        """
        Make runs for closed cases that have none; returns how many.
        """
        store, now = self._workshop.store, self._workshop.clock.now()
        missing = [
            case
            for case in store.cases.cases(since=now - BACK_TO, limit=1_000)
            if case.state.ended and case.flow_run_id is None
        ][-AT_ONCE:]
        if missing:
            asyncio.run(self._mirror_all(missing))
        return len(missing)

    def hear_answers(self) -> int:
        """
        Take what people did to paused runs as their answers; returns how many.
        """
        return run_answers.hear(self._workshop) if self.is_up else 0

    def show_restraints(self) -> bool:
        """
        What keeps healing back, as an artifact of its own in the UI; written when it changes. Returns whether it was.
        """
        store, now = self._workshop.store, self._workshop.clock.now()
        said = restraints.sentences(store, now)
        if said == self._shown:
            return False
        asyncio.run(_show(case_text.restraints_of(said)))
        self._shown = said
        return True

    async def _mirror_all(self, cases: list[Case]) -> None:
        async with get_client() as client:
            for case in reversed(cases):
                report = case_report.read(self._workshop.store, case)
                run_id = await _mirror(client, report)
                changed = case.model_copy(update={"flow_run_id": run_id})
                self._workshop.store.cases.put(changed)
                _log.info("case_mirrored", case=case.id, flow_run=run_id)


async def _show(markdown: str) -> None:
    async with get_client() as client:
        await client.create_artifact(
            ArtifactCreate(
                key="healing",
                type="markdown",
                description="what keeps healing back",
                data=markdown,
            )
        )


async def _mirror(client: PrefectClient, report: CaseReport) -> str:
    case = report.case
    run = await _run_of(client, case)
    closed_at = case.closed_at or case.opened_at
    await client.set_flow_run_state(
        run.id, Running(message=f"began at {case.opened_at.isoformat()}"), force=True
    )
    await client.create_logs(
        [
            LogCreate(
                name="fournines.healing",
                level=logging.INFO,
                message=f"{told.event}: {told.text}",
                timestamp=told.at,
                flow_run_id=run.id,
            )
            for told in _news(case)
        ]
    )
    await client.create_artifact(
        ArtifactCreate(
            key=artifacts.key("verdict", case.id),
            type="markdown",
            description="treated while Prefect did not answer",
            data=case_text.verdict(case, report),
            flow_run_id=run.id,
        )
    )
    message = f"{case.verdict} (ended at {closed_at.isoformat()})"
    match case.state:
        case CaseState.RECOVERED:
            end: State[str] = Completed(message=message)
        case CaseState.REFUSED:
            end = Completed(name="Refused", message=message)
        case _:
            end = Failed(message=message)
    await client.set_flow_run_state(run.id, end, force=True)
    return str(run.id)


def _news(case: Case) -> tuple[CaseEvent, ...]:
    """
    The events that the case's run has not logged itself: all of them, or those since it was paused for a person.
    """
    asked = [n for n, told in enumerate(case.events) if told.event == "approval_asked"]
    return case.events[asked[-1] + 1 :] if asked else case.events


async def _run_of(client: PrefectClient, case: Case) -> FlowRun:
    tag = f"case:{case.id}"
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[tag]))
    )
    if found:
        return found[0]
    subject = case.subject
    return await client.create_flow_run(
        heal,
        name=f"heal {subject.service} {'' if subject.slot is None else subject.slot}",
        parameters={
            "platform": subject.platform,
            "service": subject.service,
            "group": subject.group or "",
            "slot": subject.slot or 0,
            "case": case.id,
        },
        tags=["healing", tag, f"service:{subject.service}", "mirrored"],
        state=Pending(),
    )
