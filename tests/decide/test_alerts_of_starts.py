"""
The promise of batch services, that tasks begin in time: in budget, burn and silence.
"""

from __future__ import annotations

import pytest

from alerts import conventions as c
from alerts.conventions import Alert
from alerts.generation.rehearsal import SERVICE, key, labels_of

STEP, STEPS = 20, 200
NOW = STEP * STEPS - STEP
GROUPS = ("fast", "medium", "minute", "blind")
CONTROLLER = {"job": "members"} | labels_of(0)
OBJECTIVE = {"slo": "starts", "indicator": "starts"}


def world(*, late: float, in_time: float, silent: str = "", healer: int = 1):
    """
    A batch service of which so many tasks a second begin too late and in time, all along; what its controller says of itself.
    """
    objective = SERVICE | OBJECTIVE
    told = {
        key("up", {"job": "healer"}): f"{healer}x{STEPS}",
        key(c.SERVICE_AGE, SERVICE): f"1e6x{STEPS}",
        key(c.BUDGET_RATIO, objective): f"0.01x{STEPS}",
        key(c.WINDOW_DAYS, objective): f"30x{STEPS}",
        key(
            c.BATCH_STARTED, CONTROLLER | {"promise": "late"}
        ): f"0+{late * STEP}x{STEPS}",
        key(c.BATCH_STARTED, CONTROLLER | {"promise": "in_time"}): (
            f"0+{in_time * STEP}x{STEPS}"
        ),
    }
    if silent != "absent":
        told[key(c.BATCH_SILENT, CONTROLLER)] = silent or f"2x{STEPS}"
    return [{"series": one, "values": text} for one, text in told.items()]


def burn(severity: str) -> dict[str, str]:
    """
    Labels of a burn alert.
    """
    return SERVICE | OBJECTIVE | {"severity": severity, "tier": "burn"}


def test_late_tasks_call_a_person_and_not_the_healer(promtool):
    """
    Of tasks that begin too late nobody's member is the cause: whoever has to see to it is called, and no scale is held back.
    """
    promtool(
        world(late=1, in_time=1),
        step=STEP,
        groups=GROUPS,
        rings={
            (Alert.BURN_HOUR, NOW): [burn("page")],
            (Alert.BURN_MINUTE, NOW): [],
            (Alert.BURN_FIVE_MINUTES, NOW): [],
        },
        values={
            ("sum(fournines:sli_errors:rate5m)", NOW): 1.0,
            ("sum(fournines:sli_total:rate5m)", NOW): 2.0,
        },
    )


def test_as_many_as_the_target_allows_may_be_late(promtool):
    """
    A tenth late is ten times what the month allows and no page yet (14.4 times would be); none late is none.
    """
    for late in (0.1, 0):
        promtool(
            world(late=late, in_time=0.9),
            step=STEP,
            groups=GROUPS,
            rings={(Alert.BURN_HOUR, NOW): []},
        )


@pytest.mark.parametrize(
    ("silent", "rings"),
    [
        pytest.param("", [], id="it-speaks"),
        pytest.param("absent", [{}], id="nobody-scrapes-it"),
        pytest.param(f"0+20x{STEPS}", [{}], id="its-slurm-says-nothing-to-it"),
    ],
)
def test_a_controller_that_says_nothing_is_no_kept_promise(promtool, silent, rings):
    """
    A minute of silence is told, to people at work.
    """
    labels = [SERVICE | {"severity": "ticket", "tier": "blind"} for _ in rings]
    promtool(
        world(late=0, in_time=0, silent=silent),
        step=STEP,
        groups=GROUPS,
        rings={(Alert.BLIND_STARTS, NOW): labels},
    )
