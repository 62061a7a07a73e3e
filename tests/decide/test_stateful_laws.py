"""
Stateful groups: what holds for every plan, whatever was wished and whatever happened.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.decide.stateful_world import StatefulWorld, a_stateful, slot_of
from tests.decide.test_diff_laws import _some_order

A, B, C, D, E = (f"demo-shop-web-{n}" for n in range(5))


LAWS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

wishes = st.builds(
    a_stateful,
    count=st.sampled_from([1, 3, 5, 7]),
    image=st.sampled_from(["debian-12", "debian-13"]),
)
misfortunes = st.lists(
    st.tuples(st.sampled_from(["die", "vanish", "lag", "recover"]), st.integers(0, 20)),
    max_size=4,
)


def _suffer(world, events):
    for what, which in events:
        names = sorted(world.instances)
        if not names:
            return
        name = names[which % len(names)]
        match what:
            case "die":
                world.change(name, status="SHUTOFF")
            case "vanish":
                world.lose(name)
            case "lag":
                world.whole.discard(slot_of(name))
            case "recover":
                world.whole |= world.votes()
    world.fail_over()


@LAWS
@given(wishes, wishes, misfortunes, st.booleans(), st.randoms(use_true_random=False))
def test_no_plan_costs_the_quorum(first, second, events, insist, random):
    """Law: in whatever order the steps run, a cluster that could decide always can, and falls no further when it could not."""
    world = StatefulWorld().settled(first)
    _suffer(world, events)
    plan = world.plan(second, insist=insist)
    world.note()
    world.fewest_spare = None
    world.note()
    before = world.fewest_spare
    world.perform(plan, order=list(_some_order(plan.steps, random)), watch=world.note)

    # Of an only member a person may take the outage.
    taken = any(step.kind == "prepare-leave" and step.alone for step in plan.steps)
    assert insist or not taken
    if before is not None and not taken:
        assert world.fewest_spare >= min(before, 0)


@LAWS
@given(wishes, wishes, misfortunes)
def test_plans_settle(first, second, events):
    """Law: once all are well, what was refused is done, and then nothing is left."""
    world = StatefulWorld().settled(first)
    _suffer(world, events)
    for _ in range(2):
        world.perform(world.plan(second, insist=True))
        world.whole |= world.votes()
        world.fail_over()

    assert world.plan(second, insist=True).empty


@LAWS
@given(wishes, wishes, misfortunes)
def test_no_view_no_leave(first, second, events):
    """Law: without a view no living instance is deleted."""
    world = StatefulWorld().settled(first)
    _suffer(world, events)
    world.known.clear()
    live = {i.name for i in world.instances.values() if i.status == "ACTIVE"}
    plan = world.plan(second, insist=True)

    gone = {s.instance for s in plan.steps if s.kind == "delete-instance"}
    assert not gone & live
