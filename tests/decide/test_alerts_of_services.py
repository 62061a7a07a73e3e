"""
Alerts on what a message bus and a cache say of themselves, to the second.
"""

from __future__ import annotations

import pytest

from alerts import conventions as c
from alerts.conventions import Alert
from alerts.generation.rehearsal import SERVICE, key, labels_of

GROUPS = ("services",)
PAGE = {"severity": "page", "tier": "cause"}


def member(name, values, number=0):
    """
    One input series of promtool, of a member.
    """
    return {
        "series": key(name, {"job": "members"} | labels_of(number)),
        "values": values,
    }


@pytest.mark.parametrize(
    ("given", "alert", "labels"),
    [
        pytest.param(
            [member(c.BUS_MEMORY_ALARM, "0x30 1x60")],
            Alert.BUS_OUT_OF_MEMORY,
            labels_of(0) | PAGE,
            id="a-node-out-of-memory",
        ),
        pytest.param(
            [member(c.BUS_DISK_ALARM, "0x30 1x60")],
            Alert.BUS_OUT_OF_DISK,
            labels_of(0) | PAGE,
            id="a-node-out-of-disk",
        ),
        pytest.param(
            [
                member(c.CACHE_GOOD_REPLICAS, "2x30 0x60"),
                member(c.CACHE_IS_PRIMARY, "1x90"),
                member(c.CACHE_GOOD_REPLICAS, "0x90", 1),
                member(c.CACHE_IS_PRIMARY, "0x90", 1),
            ],
            Alert.CACHE_WITHOUT_REPLICA,
            labels_of(0) | PAGE,
            id="the-primary-alone",
        ),
        pytest.param(
            [
                member(c.CACHE_IS_PRIMARY, "1x30 0x60"),
                member(c.CACHE_IS_PRIMARY, "0x90", 1),
            ],
            Alert.CACHE_WITHOUT_PRIMARY,
            SERVICE | PAGE,
            id="nobody-leads",
        ),
    ],
)
def test_a_complaint_that_lasts_calls_a_person(promtool, given, alert, labels):
    """
    Silent for as long as a burst takes, ringing after ten seconds.
    """
    promtool(given, groups=GROUPS, rings={(alert, 38): [], (alert, 44): [labels]})


@pytest.mark.parametrize(
    ("given", "alert"),
    [
        pytest.param(
            [member(c.BUS_MEMORY_ALARM, "0x30 1x8 0x50")],
            Alert.BUS_OUT_OF_MEMORY,
            id="a-burst",
        ),
        pytest.param(
            [
                member(c.CACHE_IS_PRIMARY, "1x30 0x60"),
                member(c.CACHE_IS_PRIMARY, "0x36 1x54", 1),
            ],
            Alert.CACHE_WITHOUT_PRIMARY,
            id="a-failover",
        ),
    ],
)
def test_what_passes_calls_nobody(promtool, given, alert):
    """
    A burst, and a failover that takes its usual seconds, ring nothing.
    """
    promtool(given, groups=GROUPS, rings={(alert, 60): [], (alert, 45): []})
