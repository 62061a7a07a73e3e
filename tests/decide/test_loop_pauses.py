"""
How long the healer pauses between two readings of a cloud: the slower it answers, the less it is asked.
"""

from __future__ import annotations

import pytest

from flows.healer_loops import PAUSE_SECONDS_MAX, pause_seconds


@pytest.mark.parametrize(
    ("took", "share", "pause"),
    [
        pytest.param(0.5, 0.25, 4.0, id="quick-the-usual-pause"),
        pytest.param(3.0, 0.25, 9.0, id="slow-a-quarter-of-the-time"),
        pytest.param(60.0, 0.25, PAUSE_SECONDS_MAX, id="never-longer"),
        pytest.param(60.0, 1.0, 4.0, id="no-share-no-matter"),
    ],
)
def test_slow_rounds_are_fewer(took, share, pause):
    """
    A pause is what is usual, or as long as leaves a round its share of the time, up to a limit.
    """
    assert pause_seconds(4.0, share, took) == pause
