"""
The alert on a certificate that nobody renews.
"""

from __future__ import annotations

import pytest

from alerts import conventions as c
from alerts.conventions import Alert
from alerts.generation.rehearsal import SERVICE, key

DAY = 86_400
PAGE = {"severity": "page", "tier": "blind"}


@pytest.mark.parametrize(
    ("left", "rings"),
    [
        pytest.param(15 * DAY, False, id="there-are-nights-left"),
        pytest.param(14 * DAY - 1, True, id="two-weeks-are-left"),
        pytest.param(-1, True, id="it-has-ended"),
    ],
)
def test_a_person_is_called_two_weeks_before_the_end(promtool, left, rings):
    """
    Silent for a minute, then ringing until it is renewed.
    """
    given = [{"series": key(c.CERTIFICATE_LEFT, SERVICE), "values": f"{left}x199"}]
    said = [SERVICE | PAGE] if rings else []

    promtool(
        given,
        groups=("certificates",),
        rings={
            (Alert.CERTIFICATE_ENDING, 30): [],
            (Alert.CERTIFICATE_ENDING, 100): said,
        },
    )
