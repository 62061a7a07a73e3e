"""
The run buttons' flows on a real Prefect API, with the simulated cloud lent to them.
"""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState
from tasks import opening
from tests.story.clinic import Eyes, a_service
from tests.unwind.harness import PLATFORM, World, a_platform

pytestmark = pytest.mark.prefect


@pytest.fixture
def world(prefect):
    """
    An empty world, lent to the flows.
    """
    made = World()
    workshop = made.workshop(parallel_steps_max=4)
    seeing = replace(workshop, prober=Eyes(made.cloud, made.clock))
    token = opening.lent.set(seeing)
    yield made
    opening.lent.reset(token)


def test_scaling_and_destroying_are_visible_runs(world):
    """
    Each step is a task run of the flow run, plan and result are artifacts, and the platform is as the flow was asked.
    """
    from prefect.client.orchestration import get_client

    from flows.deploy import scale_service
    from flows.destroy import destroy_platform
    from tasks import deployment
    from tasks.result import NotConfirmed

    assert deployment.deploy(world.workshop(), a_platform()).ok

    state = scale_service("shop", 3, return_state=True)

    assert state.is_completed()
    assert len(world.resources()["members"]) == 3
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
        steps = {task.name for task in client.read_task_runs()}
        artifacts = {artifact.key for artifact in client.read_artifacts()}
    assert run.name == "scale shop to 3"
    assert "ensure-instance demo-shop-web-2-g1" in steps
    assert {"plan-demo-shop", "result-demo-shop"} <= artifacts

    with pytest.raises(NotConfirmed):
        destroy_platform(PLATFORM)
    assert len(world.resources()["instances"]) == 3

    assert destroy_platform(PLATFORM, really=True).ok
    assert all(found == [] for found in world.resources().values())


def test_a_refused_run_has_failed(world):
    """
    A flow that was refused does not look completed, and its message says why.
    """
    from flows.deploy import scale_service

    state = scale_service("shop", 3, return_state=True)

    assert state.is_failed()
    assert "nothing is deployed" in state.message


def a_probed_platform():
    """
    Two members that can be asked from outside.
    """
    service = a_service(count=2, min_healthy=1)
    return a_platform().model_copy(update={"services": (service,)})


@pytest.mark.parametrize(
    ("behaviour", "verdict", "leaves"),
    [
        pytest.param(Behaviour.SERVING, "a flap", False, id="a-well-member-is-kept"),
        pytest.param(Behaviour.HANG, "hung", True, id="a-hung-member-is-replaced"),
    ],
)
def test_the_heal_button_opens_and_closes_a_case(world, behaviour, verdict, leaves):
    """
    Pressed by a person, without an alert and without the healer: examined, healed if sick, evidence and verdict as artifacts.
    """
    from prefect.client.orchestration import get_client

    from flows.heal import heal
    from tasks import deployment

    assert deployment.deploy(world.workshop(), a_probed_platform()).ok
    world.clock.advance(30)
    if behaviour is not Behaviour.SERVING:
        world.cloud.break_instance("demo-shop-web-1-g1", behaviour, sticky=True)

    state = heal("shop", 1, return_state=True)

    assert state.is_completed(), state.message
    assert verdict in state.message
    (case,) = world.store.cases.cases()
    assert case.state is CaseState.RECOVERED
    assert case.woken_by == ("button",)
    assert case.flow_run_id == str(state.state_details.flow_run_id)
    assert ("demo-shop-web-1-g1" not in world.cloud.world.instances) == leaves
    assert len(world.resources()["members"]) == 2
    with get_client(sync_client=True) as client:
        artifacts = {artifact.key for artifact in client.read_artifacts()}
    assert {f"verdict-{case.id}", f"evidence-{case.id}"} <= artifacts


def test_the_heal_button_names_what_there_is(world):
    """
    A slot that does not exist fails the run with one sentence, and opens no case.
    """
    from flows.heal import heal
    from tasks import deployment

    assert deployment.deploy(world.workshop(), a_probed_platform()).ok

    state = heal("shop", 7, return_state=True)

    assert state.is_failed()
    assert "shop has slots 0 to 1, not 7" in state.message
    assert not world.store.cases.cases()


def test_dead_runs_are_found_by_prefect_itself(world):
    """
    A real Prefect takes our automation, once, however often it is applied.
    """
    from prefect.settings import get_current_settings

    from fournines.local import automations

    url = str(get_current_settings().api.url).removesuffix("/api")
    automations.apply(url)
    automations.apply(url)

    answer = httpx.post(f"{url}/api/automations/filter", json={}, trust_env=False)
    (found,) = answer.json()
    assert found["name"] == "fournines-dead-runs"
    assert found["trigger"]["within"] == 120
    assert found["actions"][0]["state"] == "CRASHED"
