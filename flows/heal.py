"""
Healing one slot: the flow that people see, around the plain body that also runs without Prefect (flows/treatment.py).

The healer runs this flow in its own warm process; the run button of the deployment runs it in a worker and opens a case of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Annotated, Any

from prefect import flow, tags
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import Field

from flows import case_book, examination, run_answers, run_log, stage
from flows.bedside import BEDSIDE, Bedside
from flows.case_book import CaseBook, Publish, publish_nothing
from flows.examination import Examination
from flows.treatment import Treatment
from flows.ward import Ward
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.metrics.prometheus import Prometheus
from fournines.model import names
from fournines.model.case import Case, CaseEvent, CaseState, Subject
from fournines.settings import settings
from tasks import artifacts
from tasks.workshop import Workshop

_log = log.get("healing")


BEGIN_SECONDS_MAX = 5.0
"""A run begins within a second; a Prefect that is alive and needs longer (a database that is locked) is not waited for."""

END_SECONDS_MAX = 5.0
"""How long the record of an end is waited for: what it would hold up is the next case's bed."""


def treat(
    ward: Ward,
    case_id: str,
    publish: Publish = publish_nothing,
    early: Future[Examination] | None = None,
) -> Case:
    """
    The plain body: one case to its end. `early` is a first examination that was begun before.

    Raises:
        KeyError: There is no such case.
    """
    case = ward.workshop.store.cases.case(case_id)
    if case is None:
        raise KeyError(case_id)
    if case.state.ended:
        return case
    book = CaseBook(ward.workshop, case, publish)
    return Treatment(ward, book, early=early).run()


def treat_in_flow(
    ward: Ward,
    case_id: str,
    *,
    begin: Callable[[Case], State[Any]] | None = None,
    patience_seconds: float = BEGIN_SECONDS_MAX,
) -> Case:
    """
    The same, as a flow run in this process; without one when Prefect cannot begin it, or not in time.

    Raises:
        KeyError: There is no such case.
        CloudError, StoreError: As `Treatment.run`.
    """
    case = ward.workshop.store.cases.case(case_id)
    if case is None:
        raise KeyError(case_id)
    # Prefect takes its time to begin a run; the first look does not wait for it.
    looking = ThreadPoolExecutor(1, "early")
    early = looking.submit(examination.examine, ward, case)
    looking.shutdown(wait=False)
    bedside = Bedside(ward, case_id, early)
    run = bedside.conduct(lambda: (begin or _begin)(case))
    bedside.moved.wait(patience_seconds)
    if bedside.claim():
        error = run.exception() if run.done() else "Prefect does not begin a run"
        _log.warning("run_not_recorded", case=case_id, error=str(error))
        return treat(ward, case_id, early=early)
    bedside.settled.wait()
    if bedside.postponed is not None:
        raise bedside.postponed
    if bedside.result is None:
        run.result().result(raise_on_failure=True)
        return treat(ward, case_id, early=early)
    wait([run], END_SECONDS_MAX)
    if not run.done() or run.exception() is not None:
        _log.warning("run_not_recorded", case=case_id, error="its end is not known")
    return bedside.result


def _begin(case: Case) -> State[Any]:
    subject = case.subject
    with tags("healing", f"case:{case.id}", f"service:{subject.service}"):
        return heal(
            platform=subject.platform,
            service=subject.service,
            group=subject.group or "",
            slot=subject.slot or 0,
            case=case.id,
            return_state=True,
        )


@flow(name="heal", flow_run_name="heal {service} {slot}", persist_result=False)
def heal(
    service: str,
    slot: Annotated[int, Field(ge=0)] = 0,
    platform: str = "",
    group: str = "",
    case: str = "",
) -> State[str]:
    """
    Examine one member with fresh eyes, and heal it if it is sick: evidence, plan and verdict are artifacts of this run.

    Args:
        service: A deployed service.
        slot: Its place in the group.
        platform: Its platform; empty: the only one.
        group: The group of instances; empty: the only one.
        case: The case it belongs to; empty: a new one is opened.
    """
    run_log.attach()
    bedside = BEDSIDE.get()
    with ThreadPoolExecutor(1, "artifacts") as threads:

        def publishing(case_id: str) -> Publish:
            def publish(kind: str, markdown: str) -> None:
                threads.submit(copy_context().run, _show, kind, case_id, markdown)

            return publish

        if bedside is not None:
            if not bedside.claim():
                return Completed(
                    name="Elsewhere",
                    message="treated without this run, which began too late",
                )
            bedside.moved.set()
            number = bedside.case_id
            _remember_run(bedside.ward.workshop, number)
            try:
                closed = treat(bedside.ward, number, publishing(number), bedside.early)
            except CloudError as error:
                # No fault of the run: the healer tries the case again, in another one.
                bedside.postponed = error
                return Failed(name="Postponed", message=str(error))
            bedside.result = closed
            bedside.settled.set()
            end = _end(bedside.ward.workshop, closed)
        else:
            with stage.workshop() as workshop:
                ward = Ward.over(workshop, Prometheus(settings().url("prometheus")))
                subject = _subject(workshop, platform, service, group, slot)
                opened = case or open_case(workshop, subject, "button").id
                _remember_run(workshop, opened)
                closed = treat(ward, opened, publishing(opened))
                end = _end(workshop, closed)
    return end


def _end(workshop: Workshop, case: Case) -> State[str]:
    """
    The run's end; or its pause, when a person is asked: the healer goes on with the case, in this same run.
    """
    request = workshop.store.approvals.of(case.id)
    if case.state is CaseState.AWAITING and request is not None:
        return run_answers.paused(request)
    verdict = case.verdict or ""
    if case.state is CaseState.RECOVERED:
        return Completed(message=verdict, data=verdict)
    if case.state is CaseState.REFUSED:
        return Completed(name="Refused", message=verdict, data=verdict)
    return Failed(message=verdict)


def open_case(workshop: Workshop, subject: Subject, woken_by: str) -> Case:
    """
    The open case of a slot, opened if there is none.
    """
    found = workshop.store.cases.open_for(subject.key)
    if found is not None:
        return found
    now = workshop.clock.now()
    told = CaseEvent(at=now, event="case_opened", text=f"asked for by {woken_by}")
    case = Case(
        id=case_book.case_id(subject, now),
        subject=subject,
        opened_at=now,
        detected_at=now,
        woken_by=(woken_by,),
        events=(told,),
    )
    workshop.store.cases.put(case)
    return case


class NoSuchSlot(ValueError):
    """
    A person asked to heal what is not deployed.
    """


def _subject(
    workshop: Workshop, platform: str, service: str, group: str, slot: int
) -> Subject:
    """
    The slot that a form names.

    Raises:
        NoSuchSlot: It names none, or not one only.
    """
    found = [
        (known.name, one)
        for known in workshop.store.registry.platforms()
        if platform in {"", known.name}
        for owner in known.services
        if owner.name == service
        for one in owner.groups
        if group in {"", one.name}
    ]
    if len(found) != 1:
        raise NoSuchSlot(
            f"{len(found)} groups fit platform {platform or 'any'}, service {service}, "
            f"group {group or 'any'}; one must. Name platform and group"
        )
    where, one = found[0]
    if slot >= one.count:
        raise NoSuchSlot(f"{service} has slots 0 to {one.count - 1}, not {slot}")
    subject = Subject(platform=where, service=service, group=one.name, slot=slot)
    here = [
        instance.name
        for instance in workshop.cloud.inventory(where, service).instances
        if instance.name.rpartition("-g")[0]
        == names.slot(where, service, one.name, slot)
    ]
    return subject.model_copy(update={"instance": max(here, default=None)})


def _remember_run(workshop: Workshop, case_id: str) -> None:
    """
    The case knows its run, so that nobody mirrors it a second time.
    """
    case = workshop.store.cases.case(case_id)
    run = flow_run.get_id()
    if case is not None and run and not case.state.ended:
        workshop.store.cases.put(case.model_copy(update={"flow_run_id": str(run)}))


def _show(kind: str, case: str, markdown: str) -> None:
    try:
        create_markdown_artifact(
            markdown=markdown, key=artifacts.key(kind, case), description=kind
        )
    except Exception as error:  # noqa: BLE001  what people see must never stop what is done
        _log.warning("artifact_not_shown", kind=kind, error=str(error))
