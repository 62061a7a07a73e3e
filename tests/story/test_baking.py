"""
Images baked on the simulated cloud: proved before anybody gets them, and nothing left of a bake that failed or died.
"""

from __future__ import annotations

import base64
import contextlib
import gzip

import pytest
import yaml

from blueprints import baked
from blueprints.baked import State
from blueprints.recipe import Check, Recipe
from flows import drift
from fournines.cloud.errors import CloudError, CloudUnreachable
from fournines.cloud.simulated import Fault, FaultKind, Killed, Scenario, SimulatedCloud
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.inventory import Image
from fournines.model.ownership import Owner
from fournines.model.specification import InstanceSpec, NetworkSpec
from fournines.planning.plan import Purpose
from fournines.planning.steps import EnsureInstance
from fournines.settings import Settings
from fournines.store.memory import MemoryStore
from fournines.store.protocol import LeaseHeld
from tasks import bake_clearing, baking, deployment, leasing
from tasks.bake_clearing import PLATFORM
from tasks.bake_listening import BakeFailed
from tasks.baking import Bench
from tasks.workshop import Workshop
from tests.decide.planned_world import a_platform, with_groups

BASE = Image(
    id="image-debian-12",
    name="debian-12",
    properties={"fournines_package_source": "deb http://depot ./"},
)
PACKAGES = "openssl 3.0\nredis-server 7.0\n"
RECIPES = {
    "cache": Recipe(
        image="cache",
        summary="x",
        parent="debian-12",
        packages=("redis-server",),
        versions=("redis-server",),
        tests=(Check(name="it works", run="true"),),
        timeout_seconds=60,
    )
}


class Guest:
    """
    What the scripts would say inside, learnt from the user-data alone. `broken` maps what goes wrong: `configure`, `prove`; `silent` says nothing.
    """

    def __init__(self) -> None:
        self.broken = ""
        self.silent = False
        self.heard = []

    def __call__(self, spec) -> list[str]:
        """
        The console of a new instance.
        """
        if not spec.user_data or self.silent:
            return []
        files = {
            one["path"].rpartition("/")[2]: one["content"]
            for one in yaml.safe_load(spec.user_data)["write_files"]
        }
        if "nonce" not in files:  # somebody's own instance
            return []
        self.heard.append(files)
        nonce = files["nonce"].strip()
        builder = "build.sh" in files
        marks = ["begin packages" if builder else "begin boot"]
        if self.broken == ("configure" if builder else "prove"):
            marks += self._text("log", "E: it broke\n"), "failed test: it works"
        elif builder:
            marks += self._text("packages", PACKAGES), "built", "sealed"
        else:
            marks.append("passed")
        return [f"@@fournines {nonce} {mark}" for mark in marks]

    def _text(self, kind, text):
        packed = base64.b64encode(gzip.compress(text.encode())).decode()
        return f"part {kind} 1/1 {packed}"


class Kitchen:
    """
    A simulated cloud with a guest that speaks, and a workshop on it.
    """

    def __init__(self, folder) -> None:
        self.clock = VirtualClock()
        self.cloud = SimulatedCloud(Scenario(images=(BASE,)), self.clock)
        self.guest = Guest()
        self.cloud.give_voice(self.guest)
        self.store = MemoryStore(self.clock)
        self.settings = Settings(state_dir=folder, slot=0)
        self.told = []

    def workshop(self):
        """
        A new process' workshop.
        """
        return Workshop(
            cloud=self.cloud,
            store=self.store,
            clock=self.clock,
            prober=None,
            settings=self.settings,
        )

    def bake(self):
        """
        Bake the one image there is a recipe for.
        """
        bench = Bench(recipes=RECIPES, tell=self.told.append)
        return baking.bake(self.workshop(), "cache", bench)

    def images(self):
        """
        Name and state of what was baked, youngest first.
        """
        return [(i.name, i.state) for i in baked.read(self.cloud.images())]

    def left(self):
        """
        What of a bake is in the cloud, finished images aside.
        """
        seen = self.cloud.inventory(PLATFORM)
        return [
            *(i.name for i in seen.instances),
            *(n.name for n in seen.networks),
            *baked.unfinished(self.cloud.images(), "cache"),
            *(p.id for p in self.store.journal.unfinished()),
        ]


@pytest.fixture
def kitchen(tmp_path):
    """
    A kitchen in which everything goes well.
    """
    return Kitchen(tmp_path)


def test_an_image_is_made_proved_and_current(kitchen):
    """
    The result is the current image with its provenance; the package source came from the image it grew from; nothing else is left.
    """
    result = kitchen.bake()

    made = result.image
    assert kitchen.images() == [("cache-20260101.1", State.CURRENT)]
    assert (made.parent, made.versions) == ("debian-12", ("redis-server=7.0",))
    kept = kitchen.settings.state_dir / "images" / f"{made.name}.packages"
    assert kept.read_text() == PACKAGES
    assert made.packages != ""
    builder, prover = kitchen.guest.heard
    assert builder["source"] == "deb http://depot ./\n"
    assert prover["nonce"] == builder["nonce"]
    assert kitchen.left() == []
    assert {"boot", "configure", "prove", "promote"} <= result.seconds.keys()


def test_two_images_are_kept_and_older_ones_go_when_nobody_uses_them(kitchen):
    """
    The third bake deprecates the first and deletes it, unless an instance was made from it; then it goes once the instance is gone.
    """
    first = kitchen.bake().image
    owner = Owner(platform="demo", service="shop")
    kitchen.cloud.ensure_network(
        NetworkSpec(name="demo-network", owner=owner), deadline_seconds=60
    )
    user = InstanceSpec(
        name="demo-shop-web-0-g1",
        owner=owner,
        image=first.name,
        flavor="m1.small",
        network="demo-network",
    )
    kitchen.cloud.ensure_instance(user, deadline_seconds=60)
    kitchen.bake()
    third = kitchen.bake().image

    states = [state for _, state in kitchen.images()]
    assert sorted(states) == [State.CURRENT, State.DEPRECATED, State.PREVIOUS]
    assert dict(kitchen.images())[first.name] is State.DEPRECATED
    assert dict(kitchen.images())[third.name] is State.CURRENT

    kitchen.cloud.delete_instance(user.name, deadline_seconds=60)
    assert bake_clearing.prune(kitchen.workshop()) == (first.name,)
    assert len(kitchen.images()) == 2


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("configure", "cache-builder: test: it works failed"),
        ("prove", "cache-prover: test: it works failed"),
    ],
)
def test_a_bake_that_fails_leaves_its_log_and_nothing_else(kitchen, broken, said):
    """
    A failed test, in the builder or in the proof, is one sentence with the log's place; what was current stays so.
    """
    before = kitchen.bake().image
    kitchen.guest.broken = broken

    with pytest.raises(BakeFailed, match=said) as caught:
        kitchen.bake()

    (log,) = (kitchen.settings.log_dir / "bake").glob("*.log")
    assert str(log) in str(caught.value)
    assert "E: it broke" in log.read_text()
    assert "E: it broke" in str(caught.value)
    assert kitchen.images() == [(before.name, State.CURRENT)]
    assert kitchen.left() == []


def test_a_builder_that_says_nothing_is_given_up(kitchen):
    """
    After the recipe's time a silent builder is deleted, and how far it came is said.
    """
    kitchen.guest.silent = True

    with pytest.raises(BakeFailed, match="the first boot did not end within 60 s"):
        kitchen.bake()

    assert kitchen.left() == []


CALLS = [
    "ensure_network",
    "ensure_instance",
    "console",
    "stop_instance",
    "ensure_image",
    "delete_instance",
    "describe_image",
    "delete_network",
]


@pytest.mark.parametrize("kind", [FaultKind.KILL_BEFORE, FaultKind.KILL_AFTER])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("skip", [0, 1, 2, 3])
def test_a_killed_bake_is_cleared_by_the_timer(kitchen, call, kind, skip):
    """
    Wherever the process dies, the reconcile's timer leaves nothing of the bake but finished images, and the next bake succeeds.
    """
    kitchen.cloud.inject(Fault(kind, call=call, skip=skip, times=1))
    with contextlib.suppress(Killed):
        kitchen.bake()
    kitchen.cloud.calm()

    drift.reconcile(kitchen.workshop())

    assert kitchen.left() == []
    kitchen.bake()
    states = [state for _, state in kitchen.images()]
    assert states.count(State.CURRENT) == 1
    assert kitchen.left() == []


def test_what_cannot_be_cleared_now_is_cleared_later(kitchen):
    """
    When the cloud fails so that even clearing fails, the journal stays open, and the timer clears once the cloud is back.
    """
    kitchen.guest.broken = "configure"
    kitchen.cloud.inject(Fault(FaultKind.FAIL_BEFORE, call="delete_instance", skip=2))

    with pytest.raises((BakeFailed, CloudError)):
        kitchen.bake()
    assert kitchen.left() != []
    kitchen.cloud.calm()
    drift.reconcile(kitchen.workshop())

    assert kitchen.left() == []


def test_one_recipe_is_baked_by_one_at_a_time(kitchen):
    """
    Who finds an image in the making is told, and disturbs nothing; neither does the timer.
    """
    name = bake_clearing.lease_of("cache")
    with leasing.holding(kitchen.workshop(), [name], purpose="bake of cache"):
        other = kitchen.workshop()
        with pytest.raises(LeaseHeld, match="cache"):
            baking.bake(
                Workshop(
                    cloud=other.cloud,
                    store=other.store,
                    clock=other.clock,
                    prober=None,
                    settings=other.settings,
                    holder=lambda: "somebody else",
                ),
                "cache",
                Bench(recipes=RECIPES),
            )

    assert kitchen.guest.heard == []


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"parent": "debian-99"}, "no image debian-99 to begin with"),
        ({"disk_gb": 500}, "no flavor has the 512 MB of memory and 500 GB of disk"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_made(kitchen, recipe, said):
    """
    No parent image, no flavor large enough: one sentence, and no call that makes anything.
    """
    changed = RECIPES["cache"].model_copy(update=recipe)

    with pytest.raises((BakeFailed, CloudError), match=said):
        baking.bake(kitchen.workshop(), "cache", Bench(recipes={"cache": changed}))

    assert not any(name.startswith("ensure") for name in kitchen.cloud.call_counts)


def test_a_cloud_that_fails_for_a_moment_costs_nothing(kitchen):
    """
    Consoles that cannot be read and calls that fail once are tried again.
    """
    kitchen.cloud.inject(
        Fault(FaultKind.FAIL_BEFORE, probability=0.2, text="503", times=30)
    )
    try:
        kitchen.bake()
    except CloudUnreachable:
        kitchen.cloud.calm()
        kitchen.bake()

    assert [state for _, state in kitchen.images()] == [State.CURRENT]


def test_a_deploy_takes_the_current_image_and_the_timer_keeps_it(kitchen):
    """
    What a deploy makes names the concrete image, whatever was current before; the timer goes by what was deployed, so a new image moves nothing.
    """
    platform = with_groups(a_platform(shop={"count": 1}), image="cache")
    workshop = kitchen.workshop()
    _, refusals = deployment.plan(workshop, platform)
    assert (
        "shop: image 'cache' has not been baked yet; a deploy bakes it first, and so does: fournines bake cache"
        in {refusal.detail for refusal in refusals}
    )

    first = kitchen.bake().image.name
    assert made_of(deployment.plan(workshop, platform)[0]) == {first}
    second = kitchen.bake().image.name
    assert made_of(deployment.plan(workshop, platform)[0]) == {second}

    kept = with_groups(platform, image=first)
    assert made_of(deployment.plan(workshop, kept)[0]) == {first}
    timer = deployment.deploy(workshop, platform, purpose=Purpose.RECONCILE)
    assert not timer.ok
    assert made_of(timer.plan) == {"cache"}


def made_of(plan):
    """
    The images of the instances that a plan makes.
    """
    return {step.spec.image for step in plan.steps if isinstance(step, EnsureInstance)}
