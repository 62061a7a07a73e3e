"""
The contract of the cloud's own services: who of them answers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fournines.cloud.protocol import KEYSTONE, SERVICES
from fournines.cloud.simulated import SimulatedCloud

FOURNINES = Path(sys.executable).parent / "fournines"


@contextmanager
def without_keystone(cloud) -> Iterator[None]:
    """
    Keystone is down for the length of the block.
    """
    if isinstance(cloud, SimulatedCloud):
        down: Callable[[], object] = lambda: cloud.take_away(KEYSTONE)  # noqa: E731
        up: Callable[[], object] = lambda: cloud.give_back(KEYSTONE)  # noqa: E731
    else:

        def run(*words: str) -> Callable[[], object]:
            return lambda: subprocess.run([FOURNINES, *words], check=True)

        down = run("break", "blind", KEYSTONE)
        up = run("mend", KEYSTONE)
    down()
    try:
        yield
    finally:
        up()


def test_all_of_a_sound_cloud_answer(rig):
    """
    Where nothing is wrong nobody is named, and of nobody nothing is said.
    """
    assert rig.cloud.unanswered(SERVICES) == ()
    assert rig.cloud.unanswered(()) == ()


def test_one_that_is_down_is_named_and_answers_again(rig):
    """
    Keystone down is Keystone named, though we hold a token that is good; when it is back nobody is.
    """
    assert rig.cloud.unanswered((KEYSTONE,)) == ()
    with without_keystone(rig.cloud):
        assert rig.until(lambda: rig.cloud.unanswered((KEYSTONE,)) == (KEYSTONE,))

    assert rig.until(lambda: rig.cloud.unanswered(SERVICES) == ())


@pytest.mark.parametrize("service", SERVICES)
def test_each_can_be_asked_alone(rig, service):
    """
    Every service of the list is known to the cloud, or not missed.
    """
    assert rig.cloud.unanswered((service,)) == ()
