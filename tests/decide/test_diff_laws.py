"""
Laws of the planner, on worlds that anything may have happened to.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blueprints.diff import floors, plan_destroy, plan_platform
from fournines.model.inventory import DEAD_STATUSES
from fournines.planning import linter
from fournines.planning.graph import followers_of
from tests.decide.planned_world import World, a_platform, with_groups

POOL = "demo-shop-web"
BASE = a_platform(shop={"count": 1}, min_healthy=0)

LAWS = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

desires = st.builds(
    lambda count, image, surge, floor, volume: _desired(
        count, image, surge, min(floor, count), volume
    ),
    count=st.integers(0, 6),
    image=st.sampled_from(["debian-12", "debian-13"]),
    surge=st.integers(1, 3),
    floor=st.integers(0, 4),
    volume=st.just(None),
)
"""What may be asked for, one wish after the other, without volumes."""

with_volumes = st.builds(
    lambda count, image, surge, floor, identity: with_groups(
        _desired(count, image, surge, min(floor, count), 1), identity=identity
    ),
    identity=st.sampled_from(["cattle", "ordinal"]),
    count=st.integers(0, 6),
    image=st.sampled_from(["debian-12", "debian-13"]),
    surge=st.integers(1, 3),
    floor=st.integers(0, 4),
)
"""The same of groups whose slots keep a volume, and perhaps an address."""

misfortunes = st.lists(
    st.tuples(
        st.sampled_from(["die", "vanish", "build", "mute", "leave", "sicken", "port"]),
        st.integers(0, 20),
    ),
    max_size=5,
)
"""What may happen to instances and members between two plans."""


def _desired(count, image, surge, floor, volume):
    healing = (
        BASE.services[0].groups[0].healing.model_copy(update={"min_healthy": floor})
    )
    return with_groups(
        BASE,
        count=count,
        image=image,
        surge=surge,
        healing=healing,
        volume_size_gb=volume,
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
            case "build":
                world.change(name, status="BUILD")
            case "mute":
                world.set_member(POOL, name, weight=0)
            case "sicken":
                world.set_member(POOL, name, operating_status="ERROR")
            case "port":
                world.set_member(POOL, name, port=1)
            case "leave":
                pool = world._pool(POOL)
                stay = tuple(m for m in pool.members if m.name != name)
                world.put_pool(pool.model_copy(update={"members": stay}))


def _recover(world):
    """
    Members that Octavia called ERROR are well again: what no plan can do.
    """
    for member in world._pool(POOL).members:
        world.set_member(POOL, member.name, operating_status="ONLINE")


def _some_order(steps, random):
    """
    Any order the graph allows.
    """
    waiting = {step.id: len(step.needs) for step in steps}
    by_id = {step.id: step for step in steps}
    followers = followers_of(steps)
    ready = sorted(i for i, n in waiting.items() if not n)
    while ready:
        chosen = ready.pop(random.randrange(len(ready)))
        yield by_id[chosen]
        for follower in followers.get(chosen, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)


def _plan(desired, world):
    plan = plan_platform(desired, world.inventory())
    linter.check(plan, world.inventory(), floors(desired))
    return plan


def _deployed(desired):
    world = World()
    return world.perform(_plan(desired, world))


@LAWS
@given(desires, desires, misfortunes)
def test_performing_a_plan_settles(first, second, events):
    """Whatever happened and whatever is asked for: after the plan nothing is left to do."""
    world = _deployed(first)
    _suffer(world, events)
    plan = _plan(second, world)
    world.perform(plan)
    _recover(world)
    # What was refused for the sake of those that serve is done when they are well.
    world.perform(_plan(second, world))
    again = _plan(second, world)

    assert not again.steps
    assert not again.refusals


@LAWS
@given(with_volumes, with_volumes, misfortunes)
def test_performing_a_plan_settles_with_volumes(first, second, events):
    """The same holds for instances that hand their volume on, but for what is refused."""
    world = _deployed(first)
    _suffer(world, events)
    world.perform(_plan(second, world))
    _recover(world)
    world.perform(_plan(second, world))

    assert not _plan(second, world).steps


@LAWS
@given(desires, misfortunes)
def test_planning_twice_gives_the_same_plan(desired, events):
    """The same inputs give the same steps in the same order, and the same id."""
    world = _deployed(desired)
    _suffer(world, events)

    assert _plan(desired, world) == _plan(desired, world)


@LAWS
@given(desires | with_volumes, desires, misfortunes, st.randoms(use_true_random=False))
def test_never_below_min_healthy(first, second, events, random):
    """In whatever order the steps run, the pool keeps min_healthy serving members, or as many as it had."""
    world = _deployed(first)
    _suffer(world, events)
    plan = _plan(second, world)
    floor = min(floors(second)[POOL], len(world.serving(POOL)))
    fewest = [len(world.serving(POOL))]
    world.perform(
        plan,
        order=_some_order(plan.steps, random),
        watch=lambda: fewest.append(len(world.serving(POOL))),
    )

    assert min(fewest) >= floor


@LAWS
@given(desires, desires, misfortunes, st.randoms(use_true_random=False))
def test_never_more_than_surge_above_what_is_wanted_or_there(
    first, second, events, random
):
    """Instances that can serve: at most the count, plus the surge of a roll or what was too much before."""
    world = _deployed(first)
    _suffer(world, events)
    group = second.services[0].groups[0]
    plan = _plan(second, world)
    spare = sum(1 for i in world.instances.values() if i.status not in DEAD_STATUSES)
    most = [spare]
    world.perform(
        plan,
        order=_some_order(plan.steps, random),
        watch=lambda: most.append(len(world.live())),
    )
    beyond = max(0, len(_beyond(first, second, spare)))

    assert max(most) <= group.count + max(group.surge, beyond)


def _beyond(first, second, there):
    """
    What may stand above the count before its place is filled: instances in slots that are no longer wanted.
    """
    before, after = (
        first.services[0].groups[0].count,
        second.services[0].groups[0].count,
    )
    return range(min(max(before - after, 0), there))


@LAWS
@given(desires | with_volumes, misfortunes)
def test_destroy_leaves_nothing(desired, events):
    """Whatever state a platform is in, destroying it leaves an empty cloud."""
    world = _deployed(desired)
    _suffer(world, events)
    plan = plan_destroy("demo", world.inventory())
    linter.check(plan, world.inventory())
    world.perform(plan)

    assert world.inventory() == World().inventory()


@LAWS
@given(
    desires,
    desires,
    st.integers(0, 30),
    st.randoms(use_true_random=False),
)
def test_interrupted_anywhere_the_next_plan_settles(first, second, stop, random):
    """A plan cut off after any step is followed by one that ends in the same platform."""
    world = _deployed(first)
    plan = _plan(second, world)
    world.perform(plan, order=list(_some_order(plan.steps, random))[:stop])
    world.perform(_plan(second, world))

    assert _plan(second, world).empty
    assert len(world.live()) == second.services[0].groups[0].count
    assert len(world.instances) == second.services[0].groups[0].count
