"""
Deploy, scale, roll and reconcile are tried on a copy of what is there before they act: what is predicted, what is refused, and what is too large.
"""

from __future__ import annotations

import pytest

from blueprints import diff
from fournines.cloud.simulated import Behaviour, Scenario, SimulatedCloud
from fournines.cloud.simulated.scenario import Speeds
from fournines.commands import asking
from fournines.model.refusal import Reason
from fournines.planning import orders
from fournines.planning.plan import Purpose
from healing import prediction, rehearsal
from tasks import artifacts, deployment, foresight, reconciliation
from tasks.rehearsal import rehearse
from tests.unwind.harness import PLATFORM, World, a_platform

POOL = "demo-shop-web"


@pytest.fixture
def world() -> World:
    """
    A world in which a platform of three stands.
    """
    made = World()
    assert deployment.deploy(made.workshop(), a_platform(count=3)).ok
    made.clock.advance(30)
    return made


def changed(world: World) -> list[str]:
    """
    Calls that changed something.
    """
    reads = {"inventory", "quota", "pool", "console"}
    return [call.name for call in world.cloud.calls if call.name not in reads]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, {"count": 3}, id="first-deploy"),
        pytest.param({"count": 2}, {"count": 4}, id="scale-out"),
        pytest.param({"count": 4}, {"count": 2}, id="scale-in"),
        pytest.param({"count": 3}, {"count": 3, "user_data": "#new"}, id="roll"),
    ],
)
def test_what_was_predicted_stands_beside_what_it_took(before, after):
    """
    On the cloud that the copy is made like, the prediction is right to a second and a half; the result says both.
    """
    world = World()
    if before is not None:
        assert deployment.deploy(world.workshop(), a_platform(**before)).ok
        world.clock.advance(30)
    workshop = world.workshop(parallel_steps_max=1)
    result = deployment.deploy(workshop, a_platform(**after))

    assert result.ok
    assert result.prediction is not None
    assert not result.prediction.unrehearsed
    assert result.prediction.steps == len(result.plan.steps)
    assert result.prediction.seconds == pytest.approx(result.outcome.seconds, abs=1.5)
    assert f"(predicted {result.prediction.seconds:.1f} s)" in result.sentence()


def test_what_steps_took_here_lately_is_believed():
    """
    A cloud on which instances boot for a minute: of the first deploy nothing of it is known, the next one is foreseen, and it is said by what.
    """
    world = World()
    scenario = Scenario(speeds=Speeds(boot=60))
    world.cloud = SimulatedCloud(scenario, clock=world.clock)
    first = deployment.deploy(world.workshop(), a_platform(count=3))
    world.clock.advance(30)
    second = deployment.deploy(world.workshop(), a_platform(count=4))

    assert first.prediction is not None
    assert second.prediction is not None
    assert not first.prediction.measured
    assert second.prediction.measured
    assert "by what its steps took here lately" in second.prediction.sentence()
    assert second.prediction.seconds == pytest.approx(second.outcome.seconds, abs=3.0)


def test_looking_ahead_costs_no_call(world):
    """
    The cloud is read as for any plan, and nothing more is asked of it.
    """
    wanted = a_platform(count=5)
    world.cloud.calls.clear()
    deployment.plan(world.workshop(), wanted)
    plain = [call.name for call in world.cloud.calls]
    world.cloud.calls.clear()
    found = deployment.preview(world.workshop(), wanted)

    assert [call.name for call in world.cloud.calls] == plain
    assert found.ok
    assert found.prediction is not None


def unsound(world: World):
    """
    A plan that takes all members away at once, as no planner of ours makes one.
    """
    seen = world.cloud.inventory(PLATFORM)
    made = diff.plan_platform(a_platform(count=3, user_data="#new"), seen)
    free = tuple(
        step.model_copy(update={"needs": ()})
        for step in made.steps
        if step.kind in {"set-weight", "leave-pool", "delete-instance"}
    )
    return made.model_copy(update={"steps": free}), seen


def test_a_plan_that_breaks_a_law_is_refused(world):
    """
    Fewer than min_healthy in one intermediate state: the law and the state stand in the refusal.
    """
    made, seen = unsound(world)
    said, refusals = foresight.look_ahead(
        world.workshop(), made, seen, a_platform(count=3), None
    )

    assert said is not None
    assert [r.reason for r in refusals] == [Reason.REHEARSAL]
    assert "only 0 members of demo-shop-web serve, 1 must" in refusals[0].detail


def a_crowded_world() -> World:
    """
    A world of one host a zone, whose groups must stand apart, with three instances: a fourth has no room.
    """
    world = World()
    world.cloud = SimulatedCloud(Scenario(hosts_per_zone=1), clock=world.clock)
    assert deployment.deploy(world.workshop(), apart(count=3)).ok
    world.clock.advance(30)
    return world


def apart(**asked):
    """
    The platform with a group whose instances never share a host.
    """
    platform = a_platform(**asked)
    (service,) = platform.services
    (group,) = service.groups
    strict = group.server_group.model_copy(update={"policy": "anti-affinity"})
    group = group.model_copy(update={"server_group": strict})
    service = service.model_copy(update={"groups": (group,)})
    return platform.model_copy(update={"services": (service,)})


def test_what_cannot_succeed_is_refused_before_anything_is_touched():
    """
    Instances that must stand apart have no host left: preflight cannot know, the rehearsal does; scale, roll and reconcile are refused alike.
    """
    world = a_crowded_world()
    world.cloud.calls.clear()
    scaled = deployment.scale(world.workshop(), "shop", 8)
    rolled = deployment.deploy(world.workshop(), apart(count=8, user_data="#new"))
    world.store.registry.put_platform(apart(count=8), at=world.clock.now())
    (timed,) = reconciliation.reconcile(world.workshop())

    for result in (scaled, rolled, timed.result):
        assert [r.reason for r in result.refusals] == [Reason.REHEARSAL]
        assert "No valid host" in result.refusals[0].detail
        assert result.outcome is None
    assert scaled.plan.purpose is Purpose.SCALE
    assert timed.result.plan.purpose is Purpose.RECONCILE
    assert changed(world) == []


def test_a_refused_deploy_leaves_the_registry_as_it_was():
    """
    What was refused is not asked for: the timer does not try it again and again.
    """
    world = a_crowded_world()
    deployment.scale(world.workshop(), "shop", 8)

    (platform,) = world.store.registry.platforms()
    assert platform.services[0].groups[0].count == 3


def test_a_sick_neighbour_does_not_keep_a_deploy_from_acting(world):
    """
    A member that is down before counts as down: what was so at the beginning is no fault of the plan.
    """
    for slot in range(3):
        name = f"demo-shop-web-{slot}-g1"
        world.cloud.break_instance(name, Behaviour.HANG, sticky=True)
    world.clock.advance(60)

    assert deployment.preview(world.workshop(), a_platform(count=5)).ok


def test_too_large_a_plan_says_so(world):
    """
    Beyond the bound nothing is tried step by step: the prediction comes from usual costs, and everybody is told.
    """
    wanted = a_platform(count=4)
    seen, workshop = world.cloud.inventory(PLATFORM), world.workshop()
    made = diff.plan_platform(wanted, seen)
    many = made.model_copy(
        update={
            "steps": tuple(
                step.model_copy(update={"id": f"{step.id}/{n}", "needs": ()})
                for n in range(20_000)
                for step in made.steps[:1]
            )
        }
    )
    said, refusals = foresight.look_ahead(workshop, many, seen, wanted, None)

    assert refusals == ()
    assert "20000 steps on pools of up to 4 members" in said.unrehearsed
    assert said.budget_seconds is None
    assert "not rehearsed" in said.sentence()


def test_the_bound_grows_with_what_a_look_costs():
    """
    Ten thousand steps on small pools are tried, on pools of two hundred members they are not.
    """
    made, _ = deployment.plan(World().workshop(), a_platform())
    long = made.model_copy(update={"steps": made.steps[:1] * 10_000})

    assert prediction.is_too_large(long, 10) == ""
    assert "at most 1818 are tried" in prediction.is_too_large(long, 200)


def test_worst_first_and_chain_by_chain_are_both_allowed_by_the_plan(world):
    """
    Law of both orders: every step once, after what it needs; the worst one takes away before it makes, where it may.
    """
    seen = world.cloud.inventory(PLATFORM)
    made = diff.plan_platform(a_platform(count=3, user_data="#new"), seen)
    for order in (orders.worst(made.steps), orders.chain_by_chain(made.steps)):
        assert sorted(s.id for s in order) == sorted(s.id for s in made.steps)
        done: set[str] = set()
        for step in order:
            assert done.issuperset(step.needs)
            done.add(step.id)


def test_hands_are_what_limits_a_wide_plan(world):
    """
    Ten steps of a second take ten seconds with one hand, one with ten.
    """
    seen = world.cloud.inventory(PLATFORM)
    step = diff.plan_platform(a_platform(count=4), seen).steps[0]
    steps = [step.model_copy(update={"id": str(n), "needs": ()}) for n in range(10)]
    took = dict.fromkeys(map(str, range(10)), 1.0)

    assert orders.seconds(steps, took, hands=1) == pytest.approx(10)
    assert orders.seconds(steps, took, hands=10) == pytest.approx(1)


def test_a_first_deploy_is_tried_on_an_empty_copy():
    """
    Nothing of what the plan makes is taken to exist, so quotas of everything count.
    """
    world = World()
    wanted = a_platform(count=2)
    made, _ = deployment.plan(world.workshop(), wanted)
    seen = world.cloud.inventory(PLATFORM)
    full = world.cloud.quota().model_copy(update={"networks": 0})
    tried = rehearse(
        made, seen, wanted.services, settings=world.workshop().settings, quota=full
    )

    assert "quota of networks" in tried.failed
    broken = rehearsal.judge(tried, {}, subject="demo")
    assert broken is not None


def test_the_artifact_shows_both():
    """
    Predicted and actual seconds stand in one table of the run's result.
    """
    world = World()
    result = deployment.deploy(world.workshop(), a_platform())
    text = artifacts.result_text(result)

    assert "| | predicted | actual |" in text
    assert (
        f"| seconds | {result.prediction.seconds:.1f} | {result.outcome.seconds:.1f} |"
        in text
    )


def test_the_plan_command_shows_the_prediction(world, capsys):
    """
    In the table's sentence for people.
    """
    found = deployment.preview(world.workshop(), a_platform(count=4))
    asking.show_plan(found.plan, found.refusals, found.prediction)

    assert found.prediction.sentence()[1:] in capsys.readouterr().out
