"""
What people do to paused runs in the Prefect UI, taken as their answers: resumed is approved, cancelled is rejected.

A run that is RUNNING may not have paused yet. Prefect remembers with the run which pauses have fired, by their keys; each request has its own.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Paused

from fournines import log
from fournines.model.approval import Approval, ApprovalState
from fournines.model.case import Case
from fournines.store.protocol import Store
from tasks.workshop import Workshop

PREFECT = "the Prefect UI"
"""Who answered: Prefect's one shared credential names nobody."""

GRACE = timedelta(seconds=5)
"""The flow that asks pauses its own run at its end; one that is still not paused by then is paused from here."""

_log = log.get("recorder")


def pause_key(request: Approval) -> str:
    """
    The key of a request's pause: a changed plan is another pause.
    """
    return f"{request.case_id}-{request.digest}"


def hear(workshop: Workshop) -> int:
    """
    Look at the runs of all waiting requests, and take down the answers; returns how many.
    """
    asked: dict[UUID, Approval] = {}
    for request in workshop.store.approvals.waiting():
        run = _run_of(workshop.store, request)
        if run is not None:
            asked[run] = request
    if not asked:
        return 0
    answers = asyncio.run(_look(workshop, asked))
    for request, answer in answers:
        now = workshop.clock.now()
        workshop.store.approvals.decide(
            request.case_id, answer, by=PREFECT, why="", at=now
        )
        _log.info("answer_heard", case=request.case_id, answer=answer.value)
    return len(answers)


def _run_of(store: Store, request: Approval) -> UUID | None:
    case: Case | None = store.cases.case(request.case_id)
    return UUID(case.flow_run_id) if case is not None and case.flow_run_id else None


async def _look(
    workshop: Workshop, asked: dict[UUID, Approval]
) -> list[tuple[Approval, ApprovalState]]:
    found = []
    async with get_client() as client:
        runs = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=list(asked)))
        )
        for run in runs:
            request = asked[run.id]
            answer = answer_of(run, request)
            if answer is not None:
                found.append((request, answer))
            elif workshop.clock.now() - request.asked_at > GRACE:
                await _pause(client, run, request)
    return found


def answer_of(run: FlowRun, request: Approval) -> ApprovalState | None:
    """
    What a run's state says about a request; None while it says nothing.
    """
    if run.state is None:
        return None
    if run.state.type in {StateType.CANCELLED, StateType.CANCELLING}:
        return ApprovalState.REJECTED
    has_paused = pause_key(request) in (run.empirical_policy.pause_keys or set())
    goes_on = run.state.type in {StateType.RUNNING, StateType.SCHEDULED}
    return ApprovalState.APPROVED if has_paused and goes_on else None


async def _pause(client: PrefectClient, run: FlowRun, request: Approval) -> None:
    """
    A plan that changed is asked about again, in a run whose flow has ended long ago.
    """
    if run.state is None or run.state.type is not StateType.RUNNING:
        return
    state = paused(request)
    await client.set_flow_run_state(run.id, state)


def paused(request: Approval) -> State[str]:
    """
    The state of a run that waits for this answer.
    """
    return Paused(
        message=f"{request.sentence()}. Resume to approve, cancel to reject",
        pause_key=pause_key(request),
    )
