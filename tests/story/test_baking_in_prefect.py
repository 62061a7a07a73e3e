"""
The buttons that bake, on a real Prefect API, with the simulated cloud lent to them.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from blueprints.baked import State
from tasks import opening
from tasks.bake_listening import BakeFailed
from tests.story.clinic import Eyes
from tests.story.test_baking import Kitchen

pytestmark = pytest.mark.prefect


@pytest.fixture
def kitchen(prefect, tmp_path):
    """
    A kitchen, lent to the flows.
    """
    made = Kitchen(tmp_path)
    seeing = replace(made.workshop(), prober=Eyes(made.cloud, made.clock))
    token = opening.lent.set(seeing)
    yield made
    opening.lent.reset(token)


def test_baking_is_a_visible_run(kitchen):
    """
    The parent is baked first; each step is a task run, the result an artifact; what is unchanged is left alone when the button is pressed again; a
    failed bake is a failed run that says why.
    """
    from prefect.client.orchestration import get_client

    from flows.bake import bake_image

    state = bake_image("cache", return_state=True)

    assert state.is_completed()
    assert {s for _, s in kitchen.images()} == {State.CURRENT}
    names = {name for name, _ in kitchen.images()}
    assert names == {"base-20260101.1", "cache-20260101.1"}
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
        wanted = {"boot base-20260101.1", "promote cache-20260101.1"}
        for _ in range(60):
            # The server writes task runs down in its own time.
            steps = {task.name for task in client.read_task_runs()}
            if wanted <= steps:
                break
            time.sleep(1)
        artifacts = {artifact.key for artifact in client.read_artifacts()}
    assert run.name == "bake cache"
    assert wanted <= steps
    assert "baked-cache" in artifacts

    assert "is current and unchanged" in bake_image("cache")[0]

    kitchen.guest.broken = "prove"
    with pytest.raises(BakeFailed, match="cache-prover: test: it works failed"):
        bake_image("cache", again=True)
    assert len(kitchen.images()) == 2
    assert kitchen.left() == []


def test_one_button_bakes_what_is_still_to_be_baked(kitchen, tmp_path):
    """
    A deploy whose image nobody has baked bakes it first, and goes on with it; where that fails the deploy is refused and says why.
    """
    from flows.deploy import deploy_platform
    from tasks.result import NotDone

    file = tmp_path / "platform.yaml"
    file.write_text(
        "platform: demo\ndefaults: {image: cache, flavor: m1.small}\n"
        "services: {shop: {blueprint: web, parameters: {count: 1}}}\n"
    )
    kitchen.guest.broken = "prove"
    with pytest.raises(NotDone, match="image 'cache' has not been baked yet"):
        deploy_platform(str(file))

    kitchen.guest.broken = ""
    result = deploy_platform(str(file))

    assert result.ok
    made = kitchen.cloud.inventory("demo").instances
    (cache,) = [name for name, _ in kitchen.images() if name.startswith("cache")]
    assert [i.image for i in made] == [cache]
