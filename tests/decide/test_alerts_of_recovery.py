"""
Alerts on backups and drills, to the second.
"""

from __future__ import annotations

import pytest

from alerts import conventions as c
from alerts.conventions import Alert
from alerts.generation.rehearsal import SERVICE, key

GROUPS = ("recovery",)
PAGE = {"severity": "page", "tier": "blind"}
TICKET = {"severity": "ticket", "tier": "blind"}


def of(name, values):
    """
    One input series of promtool, of a database.
    """
    return {"series": key(name, SERVICE), "values": values}


@pytest.mark.parametrize(
    ("given", "alert", "labels"),
    [
        pytest.param(
            [of(c.BACKUP_AGE, "90x29 101x200"), of(c.BACKUP_AGE_MAX, "100x230")],
            Alert.BACKUP_TOO_OLD,
            PAGE,
            id="a-backup-was-missed",
        ),
        pytest.param(
            [of(c.BACKUPS_KNOWN, "0x29 1x200"), of(c.SERVICE_AGE, "7201x230")],
            Alert.BACKUP_TOO_OLD,
            PAGE,
            id="there-is-none",
        ),
        pytest.param(
            [of(c.BACKUP_LOG_AGE, "9x29 601x200"), of(c.BACKUP_LOG_AGE_MAX, "600x230")],
            Alert.LOG_NOT_SENT,
            PAGE,
            id="the-log-stays-behind",
        ),
        pytest.param(
            [of(c.RECOVERABILITY, "1x29 0x200")],
            Alert.DRILL_FAILED,
            PAGE,
            id="a-drill-failed",
        ),
        pytest.param(
            [of(c.DRILL_AGE, "9x29 11x200"), of(c.DRILL_AGE_MAX, "10x230")],
            Alert.DRILL_LATE,
            TICKET,
            id="a-drill-was-missed",
        ),
        pytest.param(
            [
                of(c.BACKUP_AGE, "1x230"),
                of(c.SERVICE_AGE, "9x29 11x200"),
                of(c.DRILL_AGE_MAX, "10x230"),
            ],
            Alert.DRILL_LATE,
            TICKET,
            id="there-was-none",
        ),
    ],
)
def test_what_nobody_would_notice_is_told(promtool, given, alert, labels):
    """
    Silent for a minute, then ringing.
    """
    promtool(
        given, groups=GROUPS, rings={(alert, 85): [], (alert, 100): [SERVICE | labels]}
    )


@pytest.mark.parametrize(
    ("given", "alert"),
    [
        pytest.param(
            [of(c.BACKUPS_KNOWN, "1x200"), of(c.SERVICE_AGE, "60x200")],
            Alert.BACKUP_TOO_OLD,
            id="a-service-of-a-minute-has-none-yet",
        ),
        pytest.param(
            [of(c.BACKUPS_KNOWN, "0x300 1x300")],
            Alert.BACKUPS_UNREAD,
            id="the-store-was-away-for-a-while",
        ),
        pytest.param(
            [of(c.BACKUP_AGE, "1x200"), of(c.DRILL_AGE_MAX, "100x200")],
            Alert.DRILL_LATE,
            id="no-drill-yet-of-a-service-without-an-age",
        ),
    ],
)
def test_what_passes_calls_nobody(promtool, given, alert):
    """
    A young service, a store that comes back.
    """
    promtool(given, groups=GROUPS, rings={(alert, 150): [], (alert, 199): []})


def test_a_bucket_that_stays_unread_is_told(promtool):
    """
    After ten minutes.
    """
    promtool(
        [of(c.BACKUPS_KNOWN, "0x800")],
        groups=GROUPS,
        rings={
            (Alert.BACKUPS_UNREAD, 590): [],
            (Alert.BACKUPS_UNREAD, 630): [SERVICE | TICKET],
        },
    )
