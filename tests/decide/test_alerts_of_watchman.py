"""
Alerts on the healer itself, proven second by second with promtool.
"""

from __future__ import annotations

import pytest

from alerts.conventions import Alert
from alerts.generation import watchman
from alerts.generation.rehearsal import SERVICE, key

GROUPS = ("fast", "blind", "watchman")
PAGE = {"severity": "page", "tier": "blind"}
TICKET = {"severity": "ticket", "tier": "blind"}
JOB = {"job": "healer"}


def series(name, values, **labels):
    """
    One input series of promtool.
    """
    return {"series": key(name, JOB | labels), "values": values}


@pytest.mark.parametrize(
    ("given", "alert", "labels", "silent", "rings"),
    [
        pytest.param(
            [series("fournines_inbox_oldest_seconds", "0x30 0+1x60")],
            Alert.INBOX_BACKING_UP,
            PAGE,
            61,
            62,
            id="an-alert-waits-thirty-seconds",
        ),
        pytest.param(
            [series("fournines_cases_unattended", "0x30 2x200")],
            Alert.CASES_UNATTENDED,
            PAGE,
            150,
            151,
            id="nobody-treats-for-two-minutes",
        ),
        pytest.param(
            [
                series(
                    "fournines_cases_ended_total", "0x30 1x30", **SERVICE, state="paged"
                )
            ],
            Alert.CASE_PAGED,
            SERVICE | PAGE,
            30,
            31,
            id="the-first-paged-case",
        ),
        pytest.param(
            [series("fournines_approvals_waiting", "0x30 1x100")],
            Alert.APPROVAL_WAITING,
            PAGE,
            30,
            31,
            id="a-person-is-asked",
        ),
        pytest.param(
            [series("fournines_view_age_seconds", "0x30 0+1x100")],
            Alert.CLOUD_UNREAD,
            PAGE,
            91,
            92,
            id="the-cloud-unread-for-a-minute",
        ),
        pytest.param(
            [series("fournines_sense_up", "1x30 0x60", sense="keystone")],
            Alert.SENSE_LOST,
            PAGE | {"sense": "keystone"},
            60,
            61,
            id="a-sense-is-lost",
        ),
        pytest.param(
            [series("fournines_sense_up", "1x30 0x60", sense="prefect-database")],
            Alert.SENSE_LOST,
            TICKET | {"sense": "prefect-database"},
            60,
            61,
            id="nothing-is-lost-without-prefect",
        ),
        pytest.param(
            [series("fournines_store_up", "1x30 0x30")],
            Alert.STORE_DOWN,
            PAGE,
            35,
            36,
            id="the-store-is-down",
        ),
        pytest.param(
            [series("fournines_loop_age_seconds", "0x30 0+1x130", loop="inbox")],
            Alert.HEALER_SLOW,
            PAGE,
            131,
            132,
            id="a-loop-sticks",
        ),
        pytest.param(
            [
                series("fournines_alerts_answer_seconds_bucket", "0+9x100", le="1"),
                series("fournines_alerts_answer_seconds_bucket", "0+10x100", le="5"),
                series("fournines_alerts_answer_seconds_bucket", "0+10x100", le="+Inf"),
            ],
            Alert.HEALER_SLOW,
            PAGE,
            10,
            12,
            id="the-door-is-slow",
        ),
        pytest.param(
            [series("fournines_refusals_total", "0x30 0+1x60", reason="storm")],
            Alert.REFUSALS_PILING_UP,
            TICKET | {"reason": "storm"},
            50,
            60,
            id="one-reason-again-and-again",
        ),
        pytest.param(
            [series("process_start_time_seconds", "1x60 2x60 3x60 4x60 5x60")],
            Alert.HEALER_RESTARTING,
            TICKET,
            230,
            250,
            id="started-four-times-again",
        ),
        pytest.param(
            [series("fournines_healing_enabled", "1x30 0x4000")],
            Alert.HEALING_OFF,
            TICKET,
            3_600,
            3_634,
            id="off-for-an-hour",
        ),
    ],
)
def test_rings(promtool, given, alert, labels, silent, rings):  # noqa: PLR0917  one table row
    """
    Silent until its second, and ringing from then on.
    """
    promtool(
        given, groups=GROUPS, rings={(alert, silent): [], (alert, rings): [labels]}
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            series("fournines_refusals_total", "0x30 0+1x300", reason="busy"),
            id="what-passes-by-itself",
        ),
        pytest.param(
            series(
                "fournines_cases_ended_total",
                "0x30 0+1x300",
                **SERVICE,
                state="recovered",
            ),
            id="recovered-cases",
        ),
        pytest.param(
            series("fournines_loop_age_seconds", "150x300", loop="reconcile"),
            id="a-long-deploy-in-reconcile",
        ),
        pytest.param(
            series("process_start_time_seconds", "1x60 2x300"), id="one-restart"
        ),
        pytest.param(
            series("fournines_cases_unattended", "0x30 2x100 0x200"),
            id="a-queue-that-passes",
        ),
    ],
)
def test_stays_silent(promtool, given):
    """
    What is normal rings none of them.
    """
    promtool(
        [given],
        groups=GROUPS,
        rings={
            (rule.alert, second): []
            for rule in watchman.alerts()
            for second in (30, 60, 200, 299)
        },
    )
