"""
Objectives of services without HTTP: what our own transactions say, in budget, burn and silence.
"""

from __future__ import annotations

import pytest

from alerts import conventions as c
from alerts.conventions import Alert
from alerts.generation.rehearsal import SERVICE, key, labels_of

BEFORE = 310
"""The five-minute window is full."""

GROUPS = ("fast", "medium")


def world(*, bad: int, after: int = 60, slow: bool = False, age: float = 1e6):
    """
    A service with both objectives, tried once a second; from second BEFORE on so many tries fail (or are slow), then they are good again.
    """
    good = after - bad
    rises, stands = f"0+1x{BEFORE - 1}", f"{BEFORE - 1}+0x{bad - 1}"
    failed = f"0x{BEFORE - 1} 1+1x{bad - 1} {bad}x{good}"
    ok = f"{rises} {stands} {BEFORE}+1x{good}"
    none = f"0x{BEFORE + after}"
    always = f"0+1x{BEFORE + after}"
    healer = SERVICE | {"job": "healer"}
    series = {
        key("up", {"job": "healer"}): f"1x{BEFORE + after}",
        key(c.SERVICE_AGE, SERVICE): f"{age:g}x{BEFORE + after}",
        key(c.TRANSACTIONS, healer | {"outcome": "ok"}): always if slow else ok,
        key(c.TRANSACTIONS, healer | {"outcome": "failed"}): none if slow else failed,
        key(c.TRANSACTION_BUCKET, healer | {"outcome": "ok", "le": "0.5"}): ok,
        key(c.TRANSACTION_BUCKET, healer | {"outcome": "ok", "le": "1"}): (
            always if slow else ok
        ),
    }
    for name, ratio in (("transactions", 0.0001), ("transaction-time", 0.01)):
        objective = SERVICE | {"slo": name, "indicator": name}
        series[key(c.BUDGET_RATIO, objective)] = f"{ratio}x{BEFORE + after}"
        series[key(c.WINDOW_DAYS, objective)] = f"30x{BEFORE + after}"
    timed = SERVICE | {"slo": "transaction-time", "indicator": "transaction-time"}
    series[key(c.LATENCY_THRESHOLD, timed)] = f"0.5x{BEFORE + after}"
    return [{"series": one, "values": text} for one, text in series.items()]


def burn(severity: str, name: str = "transactions") -> dict[str, str]:
    """
    Labels of a burn alert.
    """
    extra = {"severity": severity, "tier": "burn", "slo": name, "indicator": name}
    return SERVICE | extra


def test_an_outage_wakes_the_healer_within_seconds(promtool):
    """
    Six bad seconds of ten, no fewer, make the minute's tier ring; a person sleeps on.
    """
    promtool(
        world(bad=14),
        groups=GROUPS,
        rings={
            (Alert.BURN_MINUTE, BEFORE + 3): [],
            (Alert.BURN_MINUTE, BEFORE + 7): [burn("heal")],
            (Alert.BURN_HOUR, BEFORE + 13): [],
        },
    )


def test_a_failover_wakes_nobody(promtool):
    """
    Fourteen bad seconds are what a database's own failover may take: no page, then or later.
    """
    promtool(
        world(bad=14),
        groups=GROUPS,
        rings={(Alert.BURN_HOUR, BEFORE + at): [] for at in (10, 14, 20, 40)},
    )


def test_what_is_longer_than_a_failover_calls_a_person(promtool):
    """
    From twenty bad seconds on somebody is called.
    """
    promtool(
        world(bad=40),
        groups=GROUPS,
        rings={
            (Alert.BURN_HOUR, BEFORE + 19): [],
            (Alert.BURN_HOUR, BEFORE + 23): [burn("page")],
        },
    )


def test_slow_transactions_burn_the_objective_that_promises_time(promtool):
    """
    Acknowledged too late is bad for the one objective and good for the other.
    """
    promtool(
        world(bad=40, slow=True),
        groups=GROUPS,
        rings={(Alert.BURN_MINUTE, BEFORE + 30): []},
        values={
            (
                'sum(fournines:sli_errors:rate10s{slo="transaction-time"}) > 0.9',
                BEFORE + 30,
            ): 1.0,
            ('sum(fournines:sli_errors:rate10s{slo="transactions"})', BEFORE + 30): 0.0,
        },
    )


def test_bad_seconds_are_what_is_spent(promtool):
    """
    Half a minute of failing transactions is half a minute of outage, whatever the service's own traffic.
    """
    spent = 'sum_over_time(fournines:sli_errors:rate10s{slo="transactions"}[60s:1s])'
    promtool(
        world(bad=30),
        groups=GROUPS,
        rings={},
        values={(f"sum(round({spent}))", BEFORE + 55): 30.0},
    )


def blind_world(*, tried: bool):
    """
    A service with an objective, tried or not.
    """
    name = SERVICE | {"slo": "transactions", "indicator": "transactions"}
    series = {
        key("up", {"job": "healer"}): "1x200",
        key(c.REC_BUDGET_SECONDS, name): "259.2x200",
        key(c.REC_SERVICE_AGE, SERVICE): "1000x200",
        key(c.tried_over("1m"), SERVICE): "1x200" if tried else "1x30 0x170",
    }
    return [{"series": one, "values": text} for one, text in series.items()]


@pytest.mark.parametrize(
    ("tried", "at", "rings"),
    [
        pytest.param(True, 150, False, id="it-is-tried"),
        pytest.param(False, 85, False, id="not-yet-a-minute"),
        pytest.param(False, 100, True, id="nobody-tries-it"),
    ],
)
def test_silence_is_told(promtool, tried, at, rings):
    """
    A promise that nobody measures calls a person after a minute; and no load balancer's HTTP figures are missed.
    """
    page = [SERVICE | {"severity": "page", "tier": "blind"}]
    promtool(
        blind_world(tried=tried),
        groups=("blind",),
        rings={
            (Alert.BLIND_TRANSACTIONS, at): page if rings else [],
            (Alert.BLIND_LOAD_BALANCER, at): [],
        },
    )


def gauge(name, values, **labels):
    """
    A series of the healer's reading of a cluster.
    """
    return {"series": key(name, SERVICE | {"group": "web"} | labels), "values": values}


GROUP = SERVICE | {"group": "web"}
HEAL = {"severity": "heal", "tier": "cause"}


@pytest.mark.parametrize(
    ("given", "alert", "seconds", "labels"),
    [
        pytest.param(
            [gauge(c.CLUSTER_VOTES, "3x30 1x90"), gauge(c.CLUSTER_QUORUM, "2x120")],
            Alert.CLUSTER_WITHOUT_QUORUM,
            10,
            GROUP | HEAL,
            id="too-few-votes",
        ),
        pytest.param(
            [gauge(c.CLUSTER_LEADER, "1x30 0x90")],
            Alert.CLUSTER_WITHOUT_LEADER,
            20,
            GROUP | HEAL,
            id="nobody-leads",
        ),
        pytest.param(
            [
                {
                    "series": key(c.CLUSTER_SETTLED, labels_of(1)),
                    "values": "1x30 0x90",
                },
                {
                    "series": key(c.REC_MEMBER_IN_SERVICE, labels_of(1)),
                    "values": "1x120",
                },
                gauge(c.CLUSTER_LAG, "0x30 900x90", slot="1"),
            ],
            Alert.MEMBER_UNSETTLED,
            60,
            labels_of(1) | HEAL,
            id="a-member-that-stays-behind",
        ),
    ],
)
def test_a_cluster_that_stays_unwell_wakes_the_healer(
    promtool, given, alert, seconds, labels
):
    """
    Silent for as long as the service needs to help itself, then ringing.
    """
    early, late = 28 + seconds, 34 + seconds
    promtool(
        given, groups=("services",), rings={(alert, early): [], (alert, late): [labels]}
    )


def test_a_member_that_comes_nearer_is_left_alone(promtool):
    """
    However long it takes.
    """
    promtool(
        [
            {"series": key(c.CLUSTER_SETTLED, labels_of(1)), "values": "0x200"},
            {"series": key(c.REC_MEMBER_IN_SERVICE, labels_of(1)), "values": "1x200"},
            gauge(c.CLUSTER_LAG, "90000-100x200", slot="1"),
        ],
        groups=("services",),
        rings={(Alert.MEMBER_UNSETTLED, at): [] for at in (100, 190)},
    )
