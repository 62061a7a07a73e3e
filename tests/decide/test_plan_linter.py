"""
What the plan's linter refuses, and how plans are read as graphs and tables.
"""

import pytest

from blueprints.diff import plan_platform
from fournines.model.specification import MemberSpec
from fournines.planning import costs, graph, linter, table
from fournines.planning import plan as planning
from fournines.planning.plan import Purpose
from fournines.planning.steps import (
    AwaitServing,
    DeleteInstance,
    DeleteResource,
    Drain,
    JoinPool,
    LeavePool,
    RestartInstance,
    SetWeight,
)
from tests.decide.planned_world import NOW, World, a_platform

POOL = {"load_balancer": "demo-shop-lb", "pool": "demo-shop-web"}
A, B, C = (f"demo-shop-web-{n}-g1" for n in range(3))


def a_plan(*steps):
    """A plan of steps."""
    return planning.make(
        purpose=Purpose.ROLL,
        platform="demo",
        service="shop",
        made_at=NOW,
        steps=steps,
    )


def a_world():
    """Three instances that serve."""
    world = World()
    shop = a_platform(shop={"count": 3})
    return world.perform(plan_platform(shop, world.inventory()))


def zero(name, *needs):
    """Weight 0 for a member."""
    return SetWeight(id=f"zero/{name}", needs=needs, instance=name, weight=0, **POOL)


def leave(name, *needs):
    """A member leaves."""
    return LeavePool(id=f"leave/{name}", needs=needs, instances=(name,), **POOL)


def delete(name, *needs):
    """An instance is deleted."""
    return DeleteInstance(id=f"delete/{name}", needs=needs, instance=name)


def awaits(name, *needs):
    """An instance is awaited."""
    return AwaitServing(id=f"await/{name}", needs=needs, instances=(name,), **POOL)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((delete(A), delete(A)), "two steps are called"),
        ((delete(A, "nothing"),), "needs nothing, which is not in the plan"),
        ((leave(A, f"leave/{B}"), leave(B, f"leave/{A}")), "can never begin"),
        (
            (Drain(id="d", instance=A, wait_seconds=30, deadline_seconds=30),),
            "waits 30 s with a deadline of 30 s",
        ),
        (
            (awaits(A).model_copy(update={"hold_seconds": 99.0}),),
            "waits 99 s with a deadline of 60 s",
        ),
        ((delete(A),), "deletes a member of demo-shop-web that has not left it"),
        ((leave(A), delete(A)), "that has not left it"),
        ((leave(A),), "while it has weight"),
        ((zero(A), leave(A)), "while it has weight"),
        ((zero(A), zero(B)), "may fall to 1 serving members, 2 must stay"),
        (
            (
                RestartInstance(id="r1", instance=A),
                RestartInstance(id="r2", instance=B),
            ),
            "may fall to 1 serving members",
        ),
    ],
)
def test_unsound_plans_are_refused(steps, said):
    """Each rule has a plan that breaks it."""
    with pytest.raises(linter.PlanUnsound) as caught:
        linter.check(a_plan(*steps), a_world().inventory(), {"demo-shop-web": 2})

    assert said in str(caught.value)


def test_gains_count_only_when_waited_for():
    """Two losses are fine when one of them waits for a new member."""
    plan = a_plan(awaits("new"), zero(A, "await/new"), zero(B))

    assert not linter.problems(plan, a_world().inventory(), {"demo-shop-web": 2})


def test_made_and_deleted_without_an_order_is_refused():
    """What is both made and deleted must be in some order."""
    shop = a_platform(shop={"count": 1})
    steps = plan_platform(shop, World().inventory()).steps
    drop = DeleteResource(id="drop", resource="network", name="demo-network")

    assert "are in no order" in linter.problems(a_plan(*steps, drop))[0]
    ordered = drop.model_copy(update={"needs": ("ensure-network/demo-network",)})
    assert not linter.problems(a_plan(*steps, ordered))


def test_joined_in_the_plan_counts_as_a_member():
    """What the plan itself puts into a pool must leave it before it is deleted."""
    join = JoinPool(id="join", members=(MemberSpec(instance="new", port=1),), **POOL)

    assert "has not left it" in linter.problems(a_plan(join, delete("new", "join")))[0]


def test_deleting_the_load_balancer_is_leaving():
    """With the balancer gone nobody is sent requests."""
    drop = DeleteResource(id="drop", resource="load-balancer", name="demo-shop-lb")
    plan = a_plan(drop, *(delete(name, "drop") for name in (A, B, C)))

    assert not linter.problems(plan, a_world().inventory())


def test_dead_members_leave_without_ceremony():
    """Who serves nobody needs no weight 0."""
    world = a_world()
    world.change(A, status="SHUTOFF")

    assert not linter.problems(
        a_plan(leave(A), delete(A, f"leave/{A}")),
        world.inventory(),
        {"demo-shop-web": 2},
    )


def test_fewer_than_the_floor_may_stay_as_they_are():
    """A pool that is already below its floor forbids only falling further."""
    world = a_world()
    world.change(A, status="SHUTOFF")
    world.change(B, status="SHUTOFF")

    assert not linter.problems(
        a_plan(leave(A), delete(A, f"leave/{A}")),
        world.inventory(),
        {"demo-shop-web": 2},
    )


@pytest.mark.parametrize(
    ("known", "seconds"),
    [
        pytest.param((), 0.0, id="nothing-done-yet"),
        pytest.param((30.0, 10.0, 900.0), 30.0, id="their-median"),
        pytest.param((2.0,) * costs.SAMPLES_MAX + (900.0,) * 100, 2.0, id="newest"),
    ],
)
def test_what_steps_took_here_lately_counts(known, seconds):
    """
    Of its kind, the newest ones; what a step waits in any case is never left out.
    """
    step = delete(A)
    drain = Drain(id="slow", instance=A, wait_seconds=9)

    assert costs.measured_seconds(step, {step.kind: known}) == seconds
    assert costs.measured_seconds(drain, {"drain": (0.0,) * 3}) == drain.wait_seconds


def test_waves_and_critical_path():
    """Steps that may run together stand in one wave; the slowest chain decides."""
    steps = (
        Drain(id="slow", instance=A, wait_seconds=9),
        zero(B),
        leave(A, "slow"),
        delete(A, f"leave/{A}"),
    )
    path = graph.critical_path(steps)

    assert [len(wave) for wave in graph.waves(steps)] == [2, 1, 1]
    assert path.step_ids == ("slow", f"leave/{A}", f"delete/{A}")
    assert path.seconds == pytest.approx(
        sum(costs.expected_seconds(s) for s in (steps[0], *steps[2:]))
    )
    assert graph.critical_path(()) == graph.CriticalPath(0.0, ())


def test_every_kind_has_a_cost_and_names_its_undo():
    """The closed union and the table of costs agree."""
    world, shop = World(), a_platform(shop={"count": 1})
    for step in plan_platform(shop, world.inventory()).steps:
        assert costs.COSTS[step.kind].deadline_seconds == step.deadline_seconds
        assert step.UNDO


def test_rows_say_what_and_why():
    """Each kind of step is readable in one line."""
    steps = (
        zero(A),
        Drain(id="d", instance=A, wait_seconds=2),
        leave(A),
        delete(A),
        RestartInstance(id="r", instance=B),
        DeleteResource(id="n", resource="network", name="demo-network"),
        JoinPool(
            id="j",
            members=tuple(MemberSpec(instance=f"i{n}", port=1) for n in range(6)),
            **POOL,
        ),
        awaits(A).model_copy(update={"hold_seconds": 5.0}),
    )

    assert [row.cells()[2] for row in table.rows(a_plan(*steps))] == [
        f"{A} 1 -> 0",
        f"{A} 2 s",
        f"{A} <- demo-shop-web",
        A,
        B,
        "network demo-network",
        "i0, i1, i2, i3 and 2 more -> demo-shop-web",
        A,
    ]


def test_summary_is_one_sentence():
    """How many, how long, what was refused; nothing to do is said so."""
    world, shop = World(), a_platform(shop={"count": 3})
    plan = plan_platform(shop, world.inventory())
    assert table.summary(plan) == "10 steps in 4 waves, about 8 s."

    world.perform(plan)
    done = plan_platform(shop, world.inventory())
    assert table.summary(done) == "Nothing to do: what is, is what should be."

    world.change(A, status="ERROR", locked=True)
    refused = plan_platform(shop, world.inventory())
    assert table.summary(refused) == "Nothing will be done. 1 refused."
