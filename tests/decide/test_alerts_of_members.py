"""
Alerts about members, to the second, and about what we do not see.
"""

from __future__ import annotations

import pytest

from alerts.conventions import Alert
from alerts.generation.rehearsal import (
    BEFORE,
    MEMBERS,
    SERVICE,
    World,
    key,
    labels_of,
)

SICK = 2
TURN_SECONDS = 5
WITH_NOISE = ("medium", "fast")
"""The minute's noise of a group is recorded beside the five-minute window."""


def cause(diagnosis: str, member: int = SICK) -> dict[str, str]:
    """
    Labels of a cause alert about a member.
    """
    hints = {"severity": "heal", "tier": "cause", "diagnosis": diagnosis}
    return labels_of(member) | hints


CAUSES = [
    pytest.param(
        lambda w: w.change("probe_success", 0, slot=str(SICK)),
        Alert.PROBE_FAIL,
        "unknown",
        0,
        id="one-failed-probe",
    ),
    pytest.param(
        lambda w: w.change("up", 0, job="members", slot=str(SICK)),
        Alert.APP_SCRAPE_DOWN,
        "gone",
        3,
        id="no-metrics-for-two-scrapes",
    ),
    pytest.param(
        lambda w: w.change("octavia_member_status", 1, member_id=f"m{SICK}"),
        Alert.LB_MEMBER_DOWN,
        "failing",
        0,
        id="the-load-balancer-took-it-out",
    ),
    pytest.param(
        lambda w: w.change(
            "octavia_member_http_responses_total", 50, member_id=f"m{SICK}", code="5xx"
        ).change(
            "octavia_member_http_responses_total", 0, member_id=f"m{SICK}", code="2xx"
        ),
        Alert.MEMBER_ERRORS,
        "grey-errors",
        2,
        id="every-answer-an-error",
    ),
    pytest.param(
        lambda w: w.change(
            "octavia_member_response_time_average_seconds", 0.4, member_id=f"m{SICK}"
        ),
        Alert.MEMBER_SLOW,
        "grey-slow",
        0,
        id="slow-by-the-edges-clock",
    ),
    pytest.param(
        lambda w: w.change(
            "http_request_duration_seconds_sum", 50 * 0.6, slot=str(SICK)
        ),
        Alert.MEMBER_SLOW,
        "grey-slow",
        1,
        id="slow-by-its-own-clock",
    ),
    pytest.param(
        lambda w: w.change("probe_duration_seconds", 0.6, slot=str(SICK)),
        Alert.MEMBER_SLOW,
        "grey-slow",
        2,
        id="slow-by-our-probes",
    ),
    pytest.param(
        lambda w: w.change("octavia_member_current_sessions", 30, member_id=f"m{SICK}"),
        Alert.MEMBER_STALLED,
        "hung",
        2,
        id="sessions-pile-up",
    ),
]


@pytest.mark.parametrize(("fault", "alert", "diagnosis", "seconds"), CAUSES)
def test_cause_rings_in_its_second(promtool, fault, alert, diagnosis, seconds):
    """
    Silent two seconds before, ringing for the sick member alone one second after.
    """
    due = BEFORE + seconds

    promtool(
        fault(World()).plain(),
        rings={
            (alert, due - 2): [],
            (alert, due + 1): [cause(diagnosis)],
        },
        groups=WITH_NOISE,
    )


@pytest.mark.parametrize(("groups", "ringing"), [(("fast",), 1), (WITH_NOISE, 0)])
def test_members_that_take_turns_at_being_slow_are_not_sick(promtool, groups, ringing):
    """
    On a busy host each member is slow now and then: nobody rings once that is known, and who alone is much slower still does.
    """
    probed = {
        key("probe_duration_seconds", {"job": "probes"} | labels_of(member)): member
        for member in MEMBERS
    }
    turns = [
        one | {"values": _takes_turns(probed[one["series"]])}
        if one["series"] in probed
        else one
        for one in World(after=40).plain()
    ]

    promtool(
        turns,
        rings={
            (Alert.MEMBER_SLOW, second): [cause("grey-slow", turn)] * ringing
            for turn in MEMBERS
            for second in (TURN_SECONDS * (turn + 1 + len(MEMBERS)) - 1,)
        },
        groups=groups,
    )


def _takes_turns(member: int) -> str:
    quick, slow = f"0.02x{TURN_SECONDS - 1}", f"0.4x{TURN_SECONDS - 1}"
    one_round = [slow if turn == member else quick for turn in MEMBERS]
    return " ".join(one_round * 3)


def test_drained_member_rings_nothing(promtool):
    """
    Weight 0 silences a member's alerts, whatever is wrong with it: its users are elsewhere.
    """
    world = World()
    for case in CAUSES:
        case.values[0](world)
    world.all_along("octavia_member_weight", 0, member_id=f"m{SICK}")

    promtool(
        world.plain(),
        rings={
            (case.values[1], BEFORE + second): []
            for case in CAUSES
            for second in (1, 5, 20)
        },
    )


def test_drained_in_time_stops_ringing(promtool):
    """
    A member that gets weight 0 while it rings stops ringing with the next scrape.
    """
    world = World()
    world.all_along("probe_success", 0, slot=str(SICK))
    world.gauges[key("probe_success", {"job": "probes"} | labels_of(SICK))][0] = 1
    world.change("octavia_member_weight", 0, member_id=f"m{SICK}")

    promtool(world.plain(), rings={(Alert.PROBE_FAIL, BEFORE + 1): []})


def test_booting_member_rings_nothing(promtool):
    """
    A member that has never answered is a deploy's business: neither dead probes nor the load balancer's verdict ring.
    """
    world = World()
    world.all_along("probe_success", 0, slot=str(SICK))
    world.all_along("up", 0, job="members", slot=str(SICK))
    world.all_along("octavia_member_status", 1, member_id=f"m{SICK}")

    promtool(
        world.plain(),
        rings={
            (alert, BEFORE + 5): []
            for alert in (
                Alert.PROBE_FAIL,
                Alert.APP_SCRAPE_DOWN,
                Alert.LB_MEMBER_DOWN,
            )
        },
    )


def test_down_in_another_role_rings_nothing(promtool):
    """
    A pool that asks for a role calls everybody else DOWN: that is no fault, while a probe of our own that fails still is.
    """
    world = World()
    for member in MEMBERS:
        world.gauge("fournines_member_by_role", 1, **labels_of(member))
    world.change("octavia_member_status", 1, member_id=f"m{SICK}")
    promtool(
        world.plain(),
        rings={(Alert.LB_MEMBER_DOWN, BEFORE + n): [] for n in (1, 5, 20)},
    )

    world.change("probe_success", 0, slot=str(SICK))
    promtool(world.plain(), rings={(Alert.PROBE_FAIL, BEFORE + 1): [cause("unknown")]})


def test_slow_together_is_no_members_fault(promtool):
    """
    When all members slow down alike, none is singled out.
    """
    world = World()
    for member in MEMBERS:
        world.change("probe_duration_seconds", 0.6, slot=str(member))

    promtool(world.plain(), rings={(Alert.MEMBER_SLOW, BEFORE + 9): []})


def test_a_busy_host_makes_nobody_slow(promtool):
    """
    Ten times another's time and still quick: what the diagnosis would not call slow rings nothing.
    """
    world = World()
    world.change("probe_duration_seconds", 0.2, slot=str(SICK))

    promtool(world.plain(), rings={(Alert.MEMBER_SLOW, BEFORE + 9): []})


def test_pool_of_two_shows_its_slow_member(promtool):
    """
    With half of the pool slow the lower quartile still is a healthy member's.
    """
    world = World()
    world.change("probe_duration_seconds", 0.6, slot="2")
    world.change("probe_duration_seconds", 0.6, slot="3")

    promtool(
        world.plain(),
        rings={
            (Alert.MEMBER_SLOW, BEFORE + 4): [
                cause("grey-slow", 2),
                cause("grey-slow", 3),
            ]
        },
    )


@pytest.mark.parametrize(
    ("change", "alert", "labels", "seconds", "members"),
    [
        pytest.param(
            lambda w: [
                w.change("octavia_pool_http_responses_total", "_", code=code)
                for code in ("2xx", "5xx")
            ],
            Alert.BLIND_LOAD_BALANCER,
            SERVICE | {"severity": "page", "tier": "blind"},
            306,
            0,
            id="load-balancer-silent",
        ),
        pytest.param(
            lambda w: [
                w.change("up", 0, job="probes", slot=str(member)) for member in MEMBERS
            ],
            Alert.BLIND_PROBES,
            SERVICE | {"severity": "page", "tier": "blind"},
            6,
            4,
            id="prober-dead",
        ),
    ],
)
def test_blind_rings(promtool, change, alert, labels, seconds, members):  # noqa: PLR0917  one table row
    """
    Missing measurements page within seconds of being missing (a series without a stale marker is missing after five minutes).
    """
    world = World(after=seconds + 10, members=members)
    for series in list(world.counters):
        if series.startswith("octavia_pool"):
            world.gauges[series] = [1, 1]
            del world.counters[series]
    change(world)

    promtool(
        world.plain(),
        rings={(alert, BEFORE): [], (alert, BEFORE + seconds + 3): [labels]},
        groups=("fast", "blind"),
    )


def test_watchdog_always_rings(promtool):
    """
    The Watchdog needs nothing to ring.
    """
    promtool(
        [],
        rings={(Alert.WATCHDOG, 1): [{"severity": "none", "tier": "alive"}]},
    )
