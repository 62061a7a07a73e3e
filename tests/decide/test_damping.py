"""
Flap damping: its table and its laws.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fournines.model.desired import HealingLimits
from healing.damping import damping
from tests.decide.slot_world import NOW

LIMITS = HealingLimits(flaps_max=3, flap_half_life_seconds=600)


def ago(*seconds: float):
    """
    Moments before now.
    """
    return tuple(NOW - timedelta(seconds=s) for s in seconds)


@pytest.mark.parametrize(
    ("flaps", "held"),
    [
        pytest.param(ago(), False, id="none"),
        pytest.param(ago(60, 0), False, id="two"),
        pytest.param(ago(120, 60, 0), True, id="three-in-two-minutes"),
        pytest.param(ago(2400, 1200, 0), False, id="three-in-forty-minutes"),
        pytest.param(ago(620, 610, 600), True, id="still-held-above-one-point"),
        pytest.param(ago(900, 899, 898), True, id="still-held-just-above-one"),
        pytest.param(ago(960, 959, 958), False, id="calm-enough"),
        pytest.param(ago(960, 959, 958, 1), False, id="trusted-anew-with-one-more"),
        pytest.param(
            ago(900, 899, 898, 1), True, id="held-with-fewer-points-than-it-took"
        ),
        pytest.param(ago(-5, -6, -7), False, id="the-future-does-not-count"),
    ],
)
def test_damping(flaps, held):
    """
    Held from the third flap in quick succession until less than one point is left.
    """
    assert held == damping(flaps, NOW, LIMITS).held


moments = st.lists(st.floats(0, 7200), max_size=12)


@given(moments, st.integers(2, 6))
def test_fewer_flaps_than_the_limit_never_hold(seconds, flaps_max):
    """
    Nobody is held for fewer flaps than the limit says.
    """
    few = ago(*seconds[: flaps_max - 1])

    assert not damping(
        few, NOW, LIMITS.model_copy(update={"flaps_max": flaps_max})
    ).held


@given(moments)
def test_calm_always_ends_the_hold(seconds):
    """
    However often it flapped: so many half-lives later that under a point is left, it is trusted again.
    """
    flaps = ago(*seconds)
    points = damping(flaps, NOW, LIMITS).points
    later = NOW + timedelta(seconds=600 * max(points, 1).__ceil__() + 1)

    assert not damping(flaps, later, LIMITS).held


@given(moments, st.floats(0, 3600))
def test_one_more_flap_never_releases(seconds, when):
    """
    A slot that is held is held with one flap more, too.
    """
    held = damping(ago(*seconds), NOW, LIMITS).held

    assert damping(ago(*seconds, when), NOW, LIMITS).held >= held
