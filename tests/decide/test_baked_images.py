"""
Baked images: which is current, which may go, what a recipe's name means, and what must be baked.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints import baked, baking, preflight
from blueprints.baked import Baked, State
from blueprints.recipe import Check, Recipe, digest
from fournines.model.inventory import Flavor, Image
from fournines.model.ownership import IMAGE_MARK
from fournines.model.refusal import Reason, Refusal
from tests.decide.planned_world import PLENTY, World, a_platform, with_groups

DAY = datetime(2026, 1, 1, tzinfo=UTC)
PROOF = (Check(name="it works", run="true"),)
RECIPES = {
    name: Recipe(image=name, summary="x", parent=parent, tests=PROOF)
    for name, parent in (("base", "debian-12"), ("db", "base"), ("bus", "base"))
}


def one(recipe="db", age=0, state=State.CURRENT, **changes):
    """
    A baked image, so many days before the first.
    """
    made = Baked(
        id=f"id-{recipe}-{age}",
        name=f"{recipe}-{age}",
        recipe=recipe,
        digest=digest(recipe, RECIPES),
        state=state,
        at=DAY - timedelta(days=age),
        parent="debian-12" if recipe == "base" else "base-0",
    )
    return made.model_copy(update=changes)


def image(made, **properties):
    """
    As the cloud tells of it.
    """
    told = {**made.properties(), IMAGE_MARK: made.name, **properties}
    return Image(id=made.id, name=made.name, properties=told)


def test_what_is_written_into_the_cloud_is_read_back():
    """
    An image's properties say all that is known of it, and fit where Nova copies them to.
    """
    made = one(versions=("postgresql-15=15.1", "patroni=3.0"), packages="f" * 64)
    long = one(versions=tuple(f"package-{n}=1.0" for n in range(100)))

    assert baked.read([image(made)]) == (made,)
    assert max(len(v) for v in long.properties().values()) <= 255


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(
            {IMAGE_MARK: "db-0"}, id="a-picture-somebody-took-inherits-a-mark"
        ),
        pytest.param({"fournines_state": "good"}, id="a-word-nobody-knows"),
        pytest.param({"fournines_at": "yesterday"}, id="no-date"),
    ],
)
def test_what_does_not_read_right_is_not_ours(changed):
    """
    A snapshot of an instance, or an image that somebody changed, is never taken for the current one.
    """
    found = image(one(name="snapshot"), **changed)

    assert baked.read([found]) == ()


def test_the_youngest_proved_image_is_current():
    """
    One is current, the one before it previous, older ones deprecated, and a candidate nothing yet.
    """
    known = [
        one(age=3, state=State.PREVIOUS),
        one(age=2),
        one(age=1),
        one(age=0, state=State.CANDIDATE),
        one("bus", age=9),
    ]

    assert baked.settled(known) == {
        "db-2": State.PREVIOUS,
        "db-3": State.DEPRECATED,
    }
    assert baked.current(known, "db").name == "db-1"
    assert baked.current(known, "cache") is None


STATES = st.sampled_from(list(State))


@given(st.lists(st.tuples(st.sampled_from(["db", "bus"]), STATES), max_size=12))
def test_settling_leaves_one_current_and_nothing_to_settle(drawn):
    """
    Whatever a worker that died left, afterwards each recipe has at most one current and one previous, and settling again changes nothing.
    """
    known = [one(r, age=n, state=state) for n, (r, state) in enumerate(drawn)]
    told = baked.settled(known)
    after = [k.model_copy(update={"state": told.get(k.name, k.state)}) for k in known]

    assert baked.settled(after) == {}
    for name in ("db", "bus"):
        states = [k.state for k in after if k.recipe == name]
        proved = [state for state in states if state is not State.CANDIDATE]
        assert proved.count(State.CURRENT) == min(len(proved), 1)
        assert proved.count(State.PREVIOUS) == min(max(len(proved) - 1, 0), 1)


@given(
    st.lists(STATES, max_size=10),
    st.sets(st.integers(0, 9)),
    st.sets(st.integers(0, 9)),
)
def test_what_is_used_or_asked_for_never_goes(states, used, asked):
    """
    Only deprecated images are deleted, and none that an instance was made from or that what is deployed asks for.
    """
    known = [one(age=n, state=state) for n, state in enumerate(states)]
    gone = baked.prunable(
        known,
        in_use={f"id-db-{n}" for n in used},
        wanted={f"db-{n}" for n in asked},
    )

    expected = {
        f"db-{n}"
        for n, state in enumerate(states)
        if state is State.DEPRECATED and n not in used | asked
    }
    assert set(gone) == expected


def test_a_recipes_name_means_its_current_image():
    """
    A group that names a recipe gets the concrete image; one that names an image keeps it, be it old or not baked at all.
    """
    images = [image(one(age=0)), image(one(age=1, state=State.PREVIOUS))]
    platform = a_platform(shop={"count": 1})

    def resolved(name):
        found = baked.resolved(with_groups(platform, image=name), images)
        return found.service("shop").groups[0].image

    assert resolved("db") == "db-0"
    assert resolved("db-1") == "db-1"
    assert resolved("debian-12") == "debian-12"
    assert resolved("bus") == "bus"


@pytest.mark.parametrize(
    ("names", "images", "expected"),
    [
        pytest.param(["db", "bus"], [], ("bus", "db"), id="none-is-baked"),
        pytest.param(["db"], [image(one())], (), id="current"),
        pytest.param(
            ["db"],
            [image(one(state=State.CANDIDATE))],
            ("db",),
            id="a-bake-that-died-made-none",
        ),
        pytest.param(
            ["db"],
            [image(one()).model_copy(update={"name": "db", "properties": {}})],
            (),
            id="somebody's-own-of-that-name",
        ),
        pytest.param(["debian-12"], [], (), id="no-recipe-makes-it"),
    ],
)
def test_what_a_deploy_has_to_bake_first(names, images, expected):
    """
    Recipes that are named and that nothing answers to, and nothing else; of one service only its own.
    """
    wanted = a_platform(**{f"s{n}": {"count": 1} for n in range(len(names))})
    services = tuple(
        service.model_copy(
            update={
                "groups": tuple(
                    g.model_copy(update={"image": name}) for g in service.groups
                )
            }
        )
        for service, name in zip(wanted.services, names, strict=True)
    )
    wanted = wanted.model_copy(update={"services": services})

    assert baked.lacking(wanted, images, {"db", "bus"}) == expected
    if len(names) == len(expected):
        assert baked.lacking(wanted, images, {"db", "bus"}, "s0") == (names[0],)


def test_an_image_that_was_never_baked_is_one_sentence():
    """
    Who names a recipe without an image is told the command that makes it.
    """
    wanted = with_groups(a_platform(shop={"count": 1}), image="db")
    (refusal,) = preflight.check(wanted, World().inventory(), PLENTY, RECIPES)

    assert refusal.reason is Reason.MISSING
    assert (
        refusal.detail
        == "shop: image 'db' has not been baked yet; a deploy bakes it first, and so does: fournines bake db"
    )


@pytest.mark.parametrize(
    ("known", "wanted", "again", "expected"),
    [
        pytest.param([], ["db"], False, ["base", "db"], id="parents-come-first"),
        pytest.param([one("base"), one()], ["db"], False, [], id="unchanged"),
        pytest.param([one("base"), one()], ["db"], True, ["db"], id="asked-again"),
        pytest.param(
            [one("base"), one(digest="old")], ["db"], False, ["db"], id="recipe-changed"
        ),
        pytest.param(
            [one("base", digest="old"), one()],
            ["db"],
            False,
            ["base", "db"],
            id="parent-changed",
        ),
        pytest.param(
            [one("base"), one(parent="base-7")],
            ["db"],
            False,
            ["db"],
            id="parent-was-baked-anew",
        ),
        pytest.param(
            [one("base"), one(state=State.CANDIDATE)],
            ["db"],
            False,
            ["db"],
            id="a-candidate-is-none",
        ),
        pytest.param(
            [one("base"), one(), one("bus")],
            ["base", "db", "bus"],
            True,
            ["base", "bus", "db"],
            id="all-again",
        ),
    ],
)
def test_what_must_be_baked(known, wanted, again, expected):
    """
    What is missing, outdated or asked for, parents first, each once.
    """
    work = baking.chosen(wanted, RECIPES, known, again=again)

    assert [w.recipe for w in work] == expected
    assert all(w.why for w in work)


def test_the_builder_is_as_small_as_may_be():
    """
    The smallest flavor that fits; none that fits is a refusal that says what is needed.
    """
    flavors = [
        Flavor(id="1", name="tiny", vcpus=1, ram_mb=256, disk_gb=1),
        Flavor(id="2", name="big", vcpus=4, ram_mb=4096, disk_gb=8),
        Flavor(id="3", name="small", vcpus=1, ram_mb=512, disk_gb=2),
    ]

    chosen = baking.flavor_for(RECIPES["db"], 1, flavors)
    larger = baking.flavor_for(RECIPES["db"], 5, flavors)
    none = baking.flavor_for(RECIPES["db"], 50, flavors)

    assert isinstance(chosen, Flavor)
    assert isinstance(larger, Flavor)
    assert isinstance(none, Refusal)
    assert (chosen.name, larger.name) == ("small", "big")
    assert "50 GB of disk" in none.detail


def test_names_say_the_day_and_are_never_given_twice():
    """
    Two bakes of one day bear different names.
    """
    assert baked.new_name("db", DAY, set()) == "db-20260101.1"
    assert baked.new_name("db", DAY, {"db-20260101.1"}) == "db-20260101.2"
