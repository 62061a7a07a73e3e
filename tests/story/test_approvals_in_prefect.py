"""
A person's word given in the Prefect UI: the real API pauses the run, and what is done to the run is the answer.
"""

from __future__ import annotations

from itertools import count

import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.approval import ApprovalState
from fournines.model.case import CaseState
from tests.story.clinic import Clinic, a_service

pytestmark = pytest.mark.prefect

SICK = "demo-shop-web-0-g1"
SECONDS = count(1)


@pytest.fixture
def paused(prefect, tmp_path):
    """
    A case that asks, its run, and a client: a single member with a volume serves badly.
    """
    from prefect.client.orchestration import get_client

    from flows.heal import treat_in_flow

    service = a_service(count=1, min_healthy=1)
    group = service.groups[0].model_copy(update={"volume_size_gb": 10})
    clinic = Clinic(tmp_path, service=service.model_copy(update={"groups": (group,)}))
    # Every test begins at the same virtual moment, and shares the server: another moment is another case.
    clinic.settle(next(SECONDS))
    clinic.cloud.break_instance(SICK, Behaviour.GREY_ERRORS, sticky=True)
    clinic.alert(SICK, "MemberErrors")
    (opened,) = clinic.admissions.sort()
    # What is proved is what a pause means, however busy the machine is.
    case = treat_in_flow(clinic.ward, opened.id, patience_seconds=120)
    with get_client(sync_client=True) as client:
        yield clinic, case, client


def finish(clinic: Clinic, case_id: str):
    """
    The healer goes on with an answered case, and mirrors it into its run.
    """
    from flows.heal import treat
    from flows.healer_recorder import Recorder

    closed = treat(clinic.ward, case_id)
    clinic.store.cases.put(closed.model_copy(update={"flow_run_id": None}))
    assert Recorder(clinic.workshop).mirror() == 1
    return closed


def test_resuming_the_run_approves(paused):
    """
    The run is Paused with the question; resumed, the plan is performed, and the same run tells the end.
    """
    from flows import run_answers

    clinic, case, client = paused
    assert CaseState.AWAITING is case.state
    run = client.read_flow_run(case.flow_run_id)
    assert run.state.is_paused()
    assert case.id in run.state.message
    assert run_answers.hear(clinic.workshop) == 0
    artifacts = {found.key for found in client.read_artifacts()}
    assert {f"plan-{case.id}", f"approval-{case.id}"} <= artifacts

    client.resume_flow_run(run.id)
    assert run_answers.hear(clinic.workshop) == 1
    answered = clinic.store.approvals.of(case.id)
    assert (answered.state, answered.by) == (
        ApprovalState.APPROVED,
        run_answers.PREFECT,
    )
    closed = finish(clinic, case.id)

    assert CaseState.RECOVERED is closed.state
    assert clinic.members() == {"demo-shop-web-0-g2": 1}
    ended = client.read_flow_run(run.id)
    assert ended.state.is_completed()
    runs = client.read_flow_runs()
    assert [found.id for found in runs if f"case:{case.id}" in found.tags] == [run.id]


def test_cancelling_the_run_rejects(paused):
    """
    Cancelled, nothing is done.
    """
    from prefect.states import Cancelling

    from flows import run_answers

    clinic, case, client = paused
    client.set_flow_run_state(case.flow_run_id, Cancelling())

    assert run_answers.hear(clinic.workshop) == 1
    assert clinic.store.approvals.of(case.id).state is ApprovalState.REJECTED
    assert CaseState.REFUSED is finish(clinic, case.id).state
    assert clinic.changes() == []


def test_a_changed_plan_pauses_the_run_again(paused):
    """
    A second question in the same run is a pause of its own; the first one's resume does not answer it.
    """
    from flows import run_answers
    from flows.heal import treat

    clinic, case, client = paused
    client.resume_flow_run(case.flow_run_id)
    assert run_answers.hear(clinic.workshop) == 1
    service = clinic.platform.service("shop")
    group = service.groups[0].model_copy(update={"flavor": "m1.small"})
    clinic.store.registry.put_service(
        service.model_copy(update={"groups": (group,)}), at=clinic.clock.now()
    )
    assert CaseState.AWAITING is treat(clinic.ward, case.id).state

    assert run_answers.hear(clinic.workshop) == 0
    clinic.settle(run_answers.GRACE.total_seconds() + 1)
    assert run_answers.hear(clinic.workshop) == 0
    assert client.read_flow_run(case.flow_run_id).state.is_paused()
    client.resume_flow_run(case.flow_run_id)
    assert run_answers.hear(clinic.workshop) == 1


def test_what_keeps_healing_back_stands_in_the_ui(paused):
    """
    The switch and everything else that holds is an artifact, written when it changes and only then.
    """
    from flows.healer_recorder import Recorder

    clinic, case, client = paused
    recorder = Recorder(clinic.workshop)
    clinic.store.switches.set(
        "healing", on=False, by="ann", why="game day", at=clinic.clock.now()
    )

    assert [recorder.show_restraints(), recorder.show_restraints()] == [True, False]
    (shown,) = [found for found in client.read_artifacts() if found.key == "healing"]
    assert "game day" in shown.data
    assert case.id in shown.data
    clinic.store.switches.set(
        "healing", on=True, by="ann", why="", at=clinic.clock.now()
    )
    assert recorder.show_restraints()
