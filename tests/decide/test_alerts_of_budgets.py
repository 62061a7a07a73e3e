"""
Alerts about budgets: each fires when its share is spent, by the law, and nothing else makes it fire.
"""

from __future__ import annotations

import math

import pytest

from alerts import slo
from alerts.conventions import Alert
from alerts.generation.rehearsal import BEFORE, MEMBERS, RATE, SERVICE, World, key

BUDGET_SECONDS = 259.2


def burn(severity: str, name: str = "availability") -> dict[str, str]:
    """
    Labels of a burn alert.
    """
    extra = {"severity": severity, "tier": "burn", "slo": name, "indicator": name}
    return SERVICE | extra


BURN_GROUPS = ("fast", "medium")


@pytest.mark.parametrize(
    ("ratio", "alerts"),
    [
        pytest.param(1.0, (Alert.BURN_MINUTE, Alert.BURN_FIVE_MINUTES), id="outage"),
        pytest.param(
            0.25,
            (Alert.BURN_MINUTE, Alert.BURN_FIVE_MINUTES, Alert.BURN_HOUR),
            id="one-member-of-four",
        ),
        pytest.param(
            0.05,
            (Alert.BURN_MINUTE, Alert.BURN_FIVE_MINUTES, Alert.BURN_HOUR),
            id="grey",
        ),
    ],
)
def test_burn_rings_by_the_law(promtool, ratio, alerts):
    """
    An alert fires when its share of the budget is spent: silent two seconds before, ringing one after.
    """
    before = 305  # the five-minute window is full
    tiers = [slo.tier(alert) for alert in alerts]
    rings = {}
    for tier in tiers:
        lasts = tier.seconds_to_fire(ratio, BUDGET_SECONDS)
        due = before - 1 + math.ceil(lasts)
        rings[tier.alert, due - 2] = []
        rings[tier.alert, due + 1] = [burn(str(tier.severity))]
    after = max(second for _, second in rings) + 2 - before
    world = World(before=before, after=after, members=0).errors(ratio)

    promtool(world.plain(), rings=rings, groups=BURN_GROUPS)


def measured(ratio: float, *, step: int, before: int, after: int):
    """
    Records as the faster levels leave them: errors of some ratio after a good time.
    """
    name = SERVICE | {"slo": "availability", "indicator": "availability"}
    bad = f"0x{before - 1} {RATE * ratio:g}x{after}"
    span = before + after
    values = {
        key("fournines:slo_budget:seconds", name): f"{BUDGET_SECONDS}x{span}",
        key("fournines:service_age:seconds", SERVICE): f"0+{step}x{span}",
    }
    for window in ("1m", "5m"):
        values[key(f"fournines:sli_errors:rate{window}", name)] = bad
        values[key(f"fournines:sli_total:rate{window}", name)] = f"{RATE:g}x{span}"
    return [{"series": one, "values": text} for one, text in values.items()]


@pytest.mark.parametrize(
    ("ratio", "alert", "step", "late"),
    [
        pytest.param(0.01, Alert.BURN_HOUR, 60, 60, id="an-hour-of-one-per-cent"),
        pytest.param(0.0033, Alert.BURN_SIX_HOURS, 300, 600, id="six-hours"),
        pytest.param(0.0003, Alert.BURN_THREE_DAYS, 1800, 3600, id="three-days"),
    ],
)
def test_slow_burn_rings_from_its_level(promtool, ratio, alert, step, late):
    """
    What burns slowly is seen in the window's own level: never before its share is spent, soon after.
    """
    tier = slo.tier(alert)
    lasts = tier.seconds_to_fire(ratio, BUDGET_SECONDS)
    before = tier.long_seconds // step + 3
    due = int(before * step + lasts)
    series = measured(ratio, step=step, before=before, after=int(lasts / step) + 5)

    promtool(
        series,
        step=step,
        groups=("medium", "minute", "five-minutes"),
        rings={
            (alert, due - late): [],
            (alert, due + late): [burn(str(tier.severity))],
        },
    )


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(
            World(before=305, members=0).errors(0.0002), id="noise-of-burn-two"
        ),
        pytest.param(
            World(members=0)
            .all_along("fournines_service_age_seconds", 30, platform="demo")
            .errors(1.0),
            id="a-service-younger-than-the-window",
        ),
        pytest.param(
            World(before=305, members=0).errors(0.25).only_one_step(),
            id="a-blip-of-a-second",
        ),
    ],
)
def test_burn_stays_silent(promtool, world):
    """
    What is no burning, or cannot be told yet, rings no burn alert.
    """
    promtool(
        world.plain(),
        rings={
            (alert, world.before + second): []
            for alert in (Alert.BURN_MINUTE, Alert.BURN_FIVE_MINUTES, Alert.BURN_HOUR)
            for second in (0, 1, 5, 20)
        },
        groups=BURN_GROUPS,
    )


def test_burn_rings_without_the_healer(promtool):
    """
    Objectives are remembered while the healer is down: its death does not silence burn alerts.
    """
    world = World(members=0).errors(1.0).change("up", 0, job="healer")
    for name in ("slo_budget_ratio", "slo_window_days", "service_age_seconds"):
        world.change(f"fournines_{name}", "_", platform="demo")
    # no sample is not stale: make the silence longer than Prometheus looks back
    world.after = 330
    healer_down = {"severity": "page", "tier": "blind"}

    promtool(
        world.plain(),
        rings={
            (Alert.BURN_MINUTE, BEFORE + 325): [burn("heal")],
            (Alert.HEALER_DOWN, BEFORE + 3): [],
            (Alert.HEALER_DOWN, BEFORE + 12): [healer_down],
        },
        groups=("fast", "blind"),
    )


def test_slow_answers_count_against_latency(promtool):
    """
    Slow are requests beyond the threshold's bucket by the members' count; failed at the edge are not fast either.
    """
    world = World(before=20, after=20).errors(0.1)
    for member in MEMBERS:
        world.change(
            "http_request_duration_seconds_bucket", 40, slot=str(member), le="0.5"
        )

    promtool(
        world.plain(),
        values={
            ('sum(fournines:sli_errors:rate10s{slo="latency"})', 35): 4 * 10 + 20,
            ('sum(fournines:sli_errors:rate10s{slo="availability"})', 35): 20,
            ('sum(fournines:sli_total:rate10s{slo="latency"})', 35): RATE,
        },
    )


def test_budget_left_counts_the_whole_window(promtool):
    """
    Ten minutes with one per cent of errors are 6 s of outage: 2.3 % of a month's budget, on a service's first day too.
    """
    world = World(step=60, before=60, after=10, members=0).errors(0.01)
    of_slo = '{slo="availability"}'
    spent = f"round(sum(fournines:slo_budget_spent:seconds{of_slo}), 0.1)"
    left = f"round(sum(fournines:slo_budget_remaining:ratio{of_slo}), 0.001)"

    promtool(
        world.plain(),
        step=60,
        values={(spent, 60 * 69): 6.0, (left, 60 * 69): 0.977},
        groups=(*BURN_GROUPS, "minute", "five-minutes"),
    )
