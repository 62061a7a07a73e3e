"""
Each alert's second, proven by Debian's promtool on the generated rules.

The world is one service of four members with 200 requests a second. promtool evaluates every rule at each step, whatever its group's
interval, so a real alert comes up to one scrape and one evaluation later than here.
"""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from alerts import slo
from alerts.conventions import Alert
from alerts.generation import files

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)

BEFORE = 30
"""Steps of good service; the first bad sample is this one."""

AFTER = 22
RATE = 200.0
MEMBERS = range(4)
SICK = 2
SERVICE = {"platform": "demo", "service": "shop"}
BUDGET_SECONDS = 259.2


def labels_of(member: int) -> dict[str, str]:
    """
    A member's names.
    """
    return SERVICE | {
        "group": "web",
        "slot": str(member),
        "instance_name": f"demo-shop-web-{member}-g1",
    }


class World:
    """
    Input series: every gauge and counter with a value before and one from the first bad sample on.
    """

    def __init__(
        self,
        *,
        step: int = 1,
        before: int = BEFORE,
        after: int = AFTER,
        members: int = 4,
    ) -> None:
        self.step, self.before, self.after = step, before, after
        self.blip = False
        self.gauges: dict[str, list[float | str]] = {}
        self.counters: dict[str, list[float]] = {}
        self._service()
        for member in range(members):
            self._member(member)

    def gauge(self, name: str, value: float | str, **labels: str) -> None:
        """
        A gauge that stays; `_` is no sample.
        """
        self.gauges[key(name, labels)] = [value, value]

    def counter(self, name: str, rate: float, **labels: str) -> None:
        """
        A counter that rises by so much a second.
        """
        self.counters[key(name, labels)] = [rate, rate]

    def change(self, name: str, value: float | str, **labels: str) -> World:
        """
        What every series of that name and labels is, or rises by, from the first bad sample on.
        """
        wanted = [f'{label}="{text}"' for label, text in labels.items()]
        found = 0
        for group in (self.gauges, self.counters):
            for series, values in group.items():
                if series.startswith(name + "{") and all(w in series for w in wanted):
                    values[1] = value  # type: ignore[index]
                    found += 1
        assert found, f"no series {name} {labels}"
        return self

    def all_along(self, name: str, value: float | str, **labels: str) -> World:
        """
        As `change`, and before too.
        """
        self.change(name, value, **labels)
        for group in (self.gauges, self.counters):
            for series, values in group.items():
                if series.startswith(name + "{") and values[1] == value:
                    values[0] = value  # type: ignore[index]
        return self

    def errors(self, ratio: float) -> World:
        """
        So many of the service's requests fail at the edge.
        """
        self.change("octavia_pool_http_responses_total", RATE * ratio, code="5xx")
        good = RATE * (1 - ratio)
        return self.change("octavia_pool_http_responses_total", good, code="2xx")

    def only_one_step(self) -> World:
        """
        Counters rise as before again after the first bad sample.
        """
        self.blip = True
        return self

    def plain(self) -> list[dict[str, str]]:
        """
        As promtool's test files have it.
        """
        lines = []
        for series, (first, then) in self.gauges.items():
            lines.append(
                (
                    series,
                    f"{_hold(first, self.before - 1)} {_hold(then, self.after)}",
                )
            )
        for series, (first, then) in self.counters.items():
            start = first * self.step * (self.before - 1) + then * self.step
            later = first if self.blip else then
            good = f"0+{first * self.step:.9g}x{self.before - 1}"
            bad = f"{start:.9g}+{later * self.step:.9g}x{self.after}"
            lines.append((series, f"{good} {bad}"))
        return [{"series": series, "values": values} for series, values in lines]

    def _service(self) -> None:
        self.gauge("up", 1, job="healer")
        for name, ratio in (("availability", 0.0001), ("latency", 0.01)):
            objective = SERVICE | {"slo": name, "indicator": name}
            self.gauge("fournines_slo_budget_ratio", ratio, **objective)
            self.gauge("fournines_slo_window_days", 30, **objective)
        self.gauge(
            "fournines_slo_latency_threshold_seconds",
            0.5,
            **(SERVICE | {"slo": "latency", "indicator": "latency"}),
        )
        self.gauge("fournines_service_age_seconds", 1e6, **SERVICE)
        for code, rate in (("2xx", RATE), ("5xx", 0.0)):
            self.counter(
                "octavia_pool_http_responses_total",
                rate,
                **SERVICE,
                pool_id="p",
                code=code,
            )

    def _member(self, member: int) -> None:
        me = labels_of(member)
        edge = SERVICE | {"pool_id": "p", "listener_id": "l", "member_id": f"m{member}"}
        self.gauge("fournines_member_info", 1, **me, member_id=f"m{member}")
        self.gauge("octavia_member_weight", 1, **edge)
        self.gauge("octavia_member_status", 0, **edge, state="DOWN")
        self.gauge("octavia_member_current_sessions", 2, **edge)
        self.gauge("octavia_member_response_time_average_seconds", 0.005, **edge)
        for code, rate in (("2xx", RATE / 4), ("5xx", 0.0)):
            name = "octavia_member_http_responses_total"
            self.counter(name, rate, **edge, code=code)
        self.gauge("up", 1, job="members", **me)
        self.gauge("up", 1, job="probes", **me)
        self.gauge("probe_success", 1, job="probes", **me)
        self.gauge("probe_duration_seconds", 0.006, job="probes", **me)
        app = me | {"job": "members"}
        self.counter("http_request_duration_seconds_count", RATE / 4, **app)
        self.counter("http_request_duration_seconds_sum", RATE / 4 * 0.004, **app)
        for le in ("0.5", "+Inf"):
            name = "http_request_duration_seconds_bucket"
            self.counter(name, RATE / 4, **app, le=le)


def key(name: str, labels: dict[str, str]) -> str:
    """
    A series as promtool writes it.
    """
    return name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"


def _hold(value: float | str, steps: int) -> str:
    return f"_x{steps + 1}" if value == "_" else f"{value:g}x{steps}"


def check(
    directory: Path,
    series: list[dict[str, str]],
    *,
    step: int = 1,
    rings: dict[tuple[Alert, int], list[dict[str, str]]] | None = None,
    values: dict[tuple[str, int], float] | None = None,
    groups: tuple[str, ...] = ("fast",),
) -> None:
    """
    Run promtool; `rings` says which label sets an alert has at a second (of time, not steps), `values` what an expression is.
    """
    (directory / "rules.yml").write_text(
        rules_of(groups, members=any("member" in one["series"] for one in series))
    )
    test = {
        "interval": f"{step}s",
        "input_series": series,
        "alert_rule_test": [
            {
                "alertname": str(alert),
                "eval_time": f"{at}s",
                "exp_alerts": [{"exp_labels": one} for one in firing],
            }
            for (alert, at), firing in (rings or {}).items()
        ],
        "promql_expr_test": [
            {
                "expr": expr,
                "eval_time": f"{at}s",
                "exp_samples": [{"value": value}],
            }
            for (expr, at), value in (values or {}).items()
        ],
    }
    whole = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{step}s",
        "tests": [test],
    }
    (directory / "test.yml").write_text(yaml.safe_dump(whole, sort_keys=False))
    result = subprocess.run(
        ["promtool", "test", "rules", "test.yml"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


def rules_of(groups: tuple[str, ...], *, members: bool) -> str:
    """
    The generated groups of these names, without annotations (texts for people) and without members' rules when a world has none.
    """
    chosen = [
        group
        for text in files.texts().values()
        for group in yaml.safe_load(text)["groups"]
        if group["name"] in groups
    ]
    for group in chosen:
        group["rules"] = [
            rule for rule in group["rules"] if members or not _about_members(rule)
        ]
        for rule in group["rules"]:
            rule.pop("annotations", None)
    return yaml.safe_dump({"groups": chosen}, sort_keys=False)


def _about_members(rule) -> bool:
    about = rule.get("record", "").startswith("fournines:member")
    return about or rule.get("labels", {}).get("tier") == "cause"


def cause(diagnosis: str, member: int = SICK) -> dict[str, str]:
    """
    Labels of a cause alert about a member.
    """
    hints = {"severity": "heal", "tier": "cause", "diagnosis": diagnosis}
    return labels_of(member) | hints


def burn(severity: str, name: str = "availability") -> dict[str, str]:
    """
    Labels of a burn alert.
    """
    extra = {"severity": severity, "tier": "burn", "slo": name, "indicator": name}
    return SERVICE | extra


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
            "octavia_member_response_time_average_seconds", 0.2, member_id=f"m{SICK}"
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
def test_cause_rings_in_its_second(tmp_path, fault, alert, diagnosis, seconds):
    """
    Silent two seconds before, ringing for the sick member alone one second after.
    """
    due = BEFORE + seconds

    check(
        tmp_path,
        fault(World()).plain(),
        rings={
            (alert, due - 2): [],
            (alert, due + 1): [cause(diagnosis)],
        },
    )


def test_drained_member_rings_nothing(tmp_path):
    """
    Weight 0 silences a member's alerts, whatever is wrong with it: its users are elsewhere.
    """
    world = World()
    for case in CAUSES:
        case.values[0](world)
    world.all_along("octavia_member_weight", 0, member_id=f"m{SICK}")

    check(
        tmp_path,
        world.plain(),
        rings={
            (case.values[1], BEFORE + second): []
            for case in CAUSES
            for second in (1, 5, 20)
        },
    )


def test_drained_in_time_stops_ringing(tmp_path):
    """
    A member that gets weight 0 while it rings stops ringing with the next scrape.
    """
    world = World()
    world.all_along("probe_success", 0, slot=str(SICK))
    world.gauges[key("probe_success", {"job": "probes"} | labels_of(SICK))][0] = 1
    world.change("octavia_member_weight", 0, member_id=f"m{SICK}")

    check(tmp_path, world.plain(), rings={(Alert.PROBE_FAIL, BEFORE + 1): []})


def test_booting_member_rings_nothing(tmp_path):
    """
    A member that has never answered is a deploy's business: neither dead probes nor the load balancer's verdict ring.
    """
    world = World()
    world.all_along("probe_success", 0, slot=str(SICK))
    world.all_along("up", 0, job="members", slot=str(SICK))
    world.all_along("octavia_member_status", 1, member_id=f"m{SICK}")

    check(
        tmp_path,
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


def test_slow_together_is_no_members_fault(tmp_path):
    """
    When all members slow down alike, none is singled out.
    """
    world = World()
    for member in MEMBERS:
        world.change("probe_duration_seconds", 0.6, slot=str(member))

    check(tmp_path, world.plain(), rings={(Alert.MEMBER_SLOW, BEFORE + 9): []})


def test_pool_of_two_shows_its_slow_member(tmp_path):
    """
    With half of the pool slow the lower quartile still is a healthy member's.
    """
    world = World()
    world.change("probe_duration_seconds", 0.6, slot="2")
    world.change("probe_duration_seconds", 0.6, slot="3")

    check(
        tmp_path,
        world.plain(),
        rings={
            (Alert.MEMBER_SLOW, BEFORE + 4): [
                cause("grey-slow", 2),
                cause("grey-slow", 3),
            ]
        },
    )


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
def test_burn_rings_by_the_law(tmp_path, ratio, alerts):
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

    check(tmp_path, world.plain(), rings=rings, groups=BURN_GROUPS)


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
def test_slow_burn_rings_from_its_level(tmp_path, ratio, alert, step, late):
    """
    What burns slowly is seen in the window's own level: never before its share is spent, soon after.
    """
    tier = slo.tier(alert)
    lasts = tier.seconds_to_fire(ratio, BUDGET_SECONDS)
    before = tier.long_seconds // step + 3
    due = int(before * step + lasts)
    series = measured(ratio, step=step, before=before, after=int(lasts / step) + 5)

    check(
        tmp_path,
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
def test_burn_stays_silent(tmp_path, world):
    """
    What is no burning, or cannot be told yet, rings no burn alert.
    """
    check(
        tmp_path,
        world.plain(),
        rings={
            (alert, world.before + second): []
            for alert in (Alert.BURN_MINUTE, Alert.BURN_FIVE_MINUTES, Alert.BURN_HOUR)
            for second in (0, 1, 5, 20)
        },
        groups=BURN_GROUPS,
    )


def test_burn_rings_without_the_healer(tmp_path):
    """
    Objectives are remembered while the healer is down: its death does not silence burn alerts.
    """
    world = World(members=0).errors(1.0).change("up", 0, job="healer")
    for name in ("slo_budget_ratio", "slo_window_days", "service_age_seconds"):
        world.change(f"fournines_{name}", "_", platform="demo")
    # no sample is not stale: make the silence longer than Prometheus looks back
    world.after = 330
    healer_down = {"severity": "page", "tier": "blind"}

    check(
        tmp_path,
        world.plain(),
        rings={
            (Alert.BURN_MINUTE, BEFORE + 325): [burn("heal")],
            (Alert.HEALER_DOWN, BEFORE + 3): [],
            (Alert.HEALER_DOWN, BEFORE + 12): [healer_down],
        },
        groups=("fast", "blind"),
    )


def test_slow_answers_count_against_latency(tmp_path):
    """
    Slow are requests beyond the threshold's bucket by the members' count; failed at the edge are not fast either.
    """
    world = World(before=20, after=20).errors(0.1)
    for member in MEMBERS:
        world.change(
            "http_request_duration_seconds_bucket", 40, slot=str(member), le="0.5"
        )

    check(
        tmp_path,
        world.plain(),
        values={
            ('sum(fournines:sli_errors:rate10s{slo="latency"})', 35): 4 * 10 + 20,
            ('sum(fournines:sli_errors:rate10s{slo="availability"})', 35): 20,
            ('sum(fournines:sli_total:rate10s{slo="latency"})', 35): RATE,
        },
    )


def test_budget_left_counts_the_whole_window(tmp_path):
    """
    Ten minutes with one per cent of errors are 6 s of outage: 2.3 % of a month's budget, on a service's first day too.
    """
    world = World(step=60, before=60, after=10, members=0).errors(0.01)
    of_slo = '{slo="availability"}'
    spent = f"round(sum(fournines:slo_budget_spent:seconds{of_slo}), 0.1)"
    left = f"round(sum(fournines:slo_budget_remaining:ratio{of_slo}), 0.001)"

    check(
        tmp_path,
        world.plain(),
        step=60,
        values={(spent, 60 * 69): 6.0, (left, 60 * 69): 0.977},
        groups=(*BURN_GROUPS, "minute", "five-minutes"),
    )


@pytest.mark.parametrize(
    ("change", "alert", "labels", "seconds"),
    [
        pytest.param(
            lambda w: [
                w.change("octavia_pool_http_responses_total", "_", code=code)
                for code in ("2xx", "5xx")
            ],
            Alert.BLIND_LOAD_BALANCER,
            SERVICE | {"severity": "page", "tier": "blind"},
            306,
            id="load-balancer-silent",
        ),
        pytest.param(
            lambda w: [
                w.change("up", 0, job="probes", slot=str(member)) for member in MEMBERS
            ],
            Alert.BLIND_PROBES,
            SERVICE | {"severity": "page", "tier": "blind"},
            6,
            id="prober-dead",
        ),
    ],
)
def test_blind_rings(tmp_path, change, alert, labels, seconds):
    """
    Missing measurements page within seconds of being missing (a series without a stale marker is missing after five minutes).
    """
    world = World(after=seconds + 10)
    for series in list(world.counters):
        if series.startswith("octavia_pool"):
            world.gauges[series] = [1, 1]
            del world.counters[series]
    change(world)

    check(
        tmp_path,
        world.plain(),
        rings={(alert, BEFORE): [], (alert, BEFORE + seconds + 3): [labels]},
        groups=("fast", "blind"),
    )


def test_watchdog_always_rings(tmp_path):
    """
    The Watchdog needs nothing to ring.
    """
    check(
        tmp_path,
        [],
        rings={(Alert.WATCHDOG, 1): [{"severity": "none", "tier": "alive"}]},
    )
