"""
An image baked on the embedded OpenStack: from recipe to current image, and nothing left of a bake that was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from blueprints import baked
from blueprints.baked import State
from blueprints.recipe import Check, Recipe
from fournines.settings import ROOT, Settings
from tasks import bake_clearing, baking, opening, reconciliation
from tasks.bake_listening import BakeFailed
from tasks.baking import Bench

pytestmark = [pytest.mark.sandbox, pytest.mark.full]

NAME = "proof"
"""No recipe of the checkout: what is baked here is nobody's."""

GOOD = Recipe(
    image=NAME,
    summary="A small image for a test.",
    parent="debian-12",
    packages=("openssl", "redis-server"),
    versions=("redis-server",),
    tests=(Check(name="redis is there", run="redis-server --version"),),
    smoke=(
        Check(name="redis waits", run="! systemctl is-active --quiet redis-server"),
        Check(name="the list is there", run="grep -q ^redis /etc/fournines/packages"),
    ),
    ram_mb=256,
    disk_gb=1,
)

KILLED = """
from tests.sandbox.test_baking import GOOD, NAME
from fournines.settings import Settings
from tasks import baking, opening
from tasks.baking import Bench

with opening.workshop(Settings()) as workshop:
    baking.bake(workshop, NAME, Bench(recipes={NAME: GOOD}))
"""


@pytest.fixture
def workshop(cloud, tmp_path, monkeypatch):
    """
    A workshop on the embedded cloud with a store of its own; what was baked is deleted afterwards.
    """
    monkeypatch.setenv("FOURNINES_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("FOURNINES_CLOUDS_FILE", str(cloud.clouds_file))
    monkeypatch.setenv("FOURNINES_SLOT", "0")
    with opening.workshop(Settings()) as opened:
        yield opened
        bake_clearing.clear(opened, NAME)
        for one in baked.read(opened.cloud.images()):
            if one.recipe == NAME:
                opened.cloud.delete_image(one.name, deadline_seconds=120)


def left(workshop):
    """
    What of a bake is in the cloud, finished images aside.
    """
    seen = workshop.cloud.inventory(bake_clearing.PLATFORM, NAME)
    return [
        *(i.name for i in seen.instances),
        *(n.name for n in seen.networks if NAME in n.name),
        *baked.unfinished(workshop.cloud.images(), NAME),
    ]


def test_an_image_is_baked_proved_and_current(workshop):
    """
    Packages come from the depot, services that came with them wait to be told, and the image says what is in it; then a recipe whose test fails
    leaves it current, and its log says why.
    """
    made = baking.bake(workshop, NAME, Bench(recipes={NAME: GOOD})).image

    assert made.state is State.CURRENT
    assert made.versions[0].startswith("redis-server=")
    assert left(workshop) == []

    bad = GOOD.model_copy(
        update={"tests": (Check(name="it lies", run="echo no such luck; false"),)}
    )
    with pytest.raises(BakeFailed, match="it lies failed") as caught:
        baking.bake(workshop, NAME, Bench(recipes={NAME: bad}))

    assert "no such luck" in str(caught.value)
    assert left(workshop) == []
    current = baked.current(baked.read(workshop.cloud.images()), NAME)
    assert current is not None
    assert current.name == made.name


def test_a_bake_killed_by_kill_9_leaves_nothing_after_the_next_reconcile(workshop):
    """
    The process dies once its builder exists; the reconcile takes its lease, as its holder is dead, and clears what it left.
    """
    with subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT) as process:
        deadline = time.monotonic() + 180
        while not workshop.cloud.inventory(bake_clearing.PLATFORM, NAME).instances:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(1)
        os.kill(process.pid, signal.SIGKILL)
    assert left(workshop) != []

    reconciliation.reconcile(workshop)

    assert left(workshop) == []
    assert workshop.store.journal.unfinished() == ()
