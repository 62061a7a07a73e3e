"""
What the demonstration of a whole platform makes of what it saw.
"""

from __future__ import annotations

import pytest

from fournines.demo.whole_report import ServiceRow, WholeReport
from fournines.demo.writer import longest_wait


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        pytest.param([], 10.0, id="nothing-at-all"),
        pytest.param([11.0, 12.0, 19.0], 7.0, id="between-two"),
        pytest.param([14.0, 15.0], 5.0, id="until-the-end"),
        pytest.param([18.0, 19.0], 8.0, id="from-the-fault-on"),
        pytest.param([5.0, 15.0, 25.0], 5.0, id="others-do-not-count"),
    ],
)
def test_the_longest_time_without_an_acknowledgement(moments, expected):
    """
    From the fault to the end, whatever the order in which moments were noted.
    """
    assert longest_wait(moments, 10.0, 20.0) == expected
    assert longest_wait(moments[::-1], 10.0, 20.0) == expected


def row(**changes):
    """
    A service that healed.
    """
    told = {
        "kind": "cache",
        "service": "sessions",
        "fault": "kill",
        "subject": "plaza-sessions-cache-0-g1",
        "recovered_seconds": 9.0,
        "acknowledged": 100,
        "lost": 0,
        "verdict": "recovered",
    }
    return ServiceRow.model_validate(told | changes)


@pytest.mark.parametrize(
    ("rows", "empty", "expected"),
    [
        pytest.param([row(), row()], True, True, id="all-is-well"),
        pytest.param([row(), row()], False, False, id="something-is-left-to-do"),
        pytest.param([row(), row(lost=1)], True, False, id="one-word-is-lost"),
        pytest.param([row(verdict="paged"), row()], True, False, id="paged"),
    ],
)
def test_only_a_platform_that_is_whole_has_recovered(rows, empty, expected):
    """
    Every service healed, no word lost, an empty plan.
    """
    made = WholeReport(
        deploy_seconds=1.0, services=tuple(rows), plan_empty_afterwards=empty
    )

    assert made.recovered is expected
