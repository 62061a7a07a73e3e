"""
Burn arithmetic: shares are chosen, factors and seconds follow.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import slo
from alerts.conventions import Alert
from fournines.model.objective import Objective

MONTH = Objective(name="availability", target=0.9999)


@pytest.mark.parametrize(
    ("alert", "factor"),
    [
        (Alert.BURN_MINUTE, 108),
        (Alert.BURN_FIVE_MINUTES, 43.2),
        (Alert.BURN_HOUR, 14.4),
        (Alert.BURN_SIX_HOURS, 6),
        (Alert.BURN_THREE_DAYS, 1),
    ],
)
def test_factors_are_the_known_ones(alert, factor):
    """
    Over 30 days the shares give the factors of the SRE workbook, and two faster ones.
    """
    assert slo.tier(alert).burn_factor() == pytest.approx(factor)


@pytest.mark.parametrize(
    ("alert", "ratio", "seconds"),
    [
        (Alert.BURN_MINUTE, 1.0, 0.648),
        (Alert.BURN_MINUTE, 0.05, 12.96),
        (Alert.BURN_MINUTE, 0.01, None),
        (Alert.BURN_FIVE_MINUTES, 0.01, 129.6),
        (Alert.BURN_HOUR, 0.25, 20.736),
        (Alert.BURN_HOUR, 0.01, 518.4),
        (Alert.BURN_SIX_HOURS, 1.0, 12.96),
    ],
)
def test_seconds_to_fire(alert, ratio, seconds):
    """
    Share x budget / error ratio, or never when the window is too short for so slow a burn.
    """
    fires = slo.tier(alert).seconds_to_fire(ratio, MONTH.budget_seconds)

    assert fires == (None if seconds is None else pytest.approx(seconds))


@given(
    tier=st.sampled_from(slo.TIERS),
    ratio=st.floats(0.0001, 1),
    target=st.floats(0.9, 0.99999),
)
def test_firing_costs_the_share(tier, ratio, target):
    """
    Whenever a tier fires, exactly its share of the budget is spent, within its long window.
    """
    budget = Objective(name="a", target=target).budget_seconds
    seconds = tier.seconds_to_fire(ratio, budget)

    if seconds is not None:
        assert seconds * ratio == pytest.approx(tier.budget_share * budget)
        assert seconds <= tier.long_seconds * (1 + 1e-9)


def test_tier_of_another_alert():
    """
    A cause alert has no tier.
    """
    with pytest.raises(KeyError):
        slo.tier(Alert.PROBE_FAIL)


@pytest.mark.parametrize(
    ("spent", "left"), [(0, 1.0), (129.6, 0.5), (259.2, 0.0), (518.4, -1.0)]
)
def test_budget_left(spent, left):
    """
    What is left is a share, and negative when overspent.
    """
    assert slo.budget_left_ratio(MONTH, spent) == pytest.approx(left)


@pytest.mark.parametrize(
    ("bad", "rate", "seconds"), [(400, 200, 2.0), (0, 200, 0.0), (7, 0, 0.0)]
)
def test_bad_seconds(bad, rate, seconds):
    """
    Bad requests are seconds of outage at the traffic there is; without traffic there is no outage.
    """
    assert slo.bad_seconds(bad, rate) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5s"), (60, "1m"), (90, "90s"), (300, "5m"), (21_600, "6h"), (259_200, "3d")],
)
def test_window_text(seconds, text):
    """
    Durations are written in their largest whole unit.
    """
    assert slo.window_text(seconds) == text
