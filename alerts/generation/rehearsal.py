"""
An imagined service and what befalls it, as input for promtool's rule tests: each alert's second is proven on it. Pure.

The service has four members and 200 requests a second. promtool evaluates every rule at each step, whatever its group's interval, so a real
alert comes up to one scrape and one evaluation later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from alerts.conventions import Alert, Tier
from alerts.generation import files

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
        self.counters: dict[str, list[float | str]] = {}
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
                    values[1] = value
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
                    values[0] = value
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
        for series, rates in self.counters.items():
            first, then = (float(rate) for rate in rates)
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


def _about_members(rule: Mapping[str, Any]) -> bool:
    about = str(rule.get("record", "")).startswith("fournines:member")
    return about or rule.get("labels", {}).get("tier") == str(Tier.CAUSE)


def document(
    series: list[dict[str, str]],
    *,
    step: int,
    rings: Mapping[tuple[Alert, int], list[dict[str, str]]],
    values: Mapping[tuple[str, int], float],
) -> str:
    """
    A test file for promtool.

    Args:
        series: Input series, as `World.plain` gives them.
        step: Seconds between samples, and between evaluations.
        rings: The label sets an alert has at a second (of time, not steps); an empty list means silence.
        values: What an expression is at a second.
    """
    test: dict[str, Any] = {
        "interval": f"{step}s",
        "input_series": series,
        "alert_rule_test": [
            {
                "alertname": str(alert),
                "eval_time": f"{at}s",
                "exp_alerts": [{"exp_labels": one} for one in firing],
            }
            for (alert, at), firing in rings.items()
        ],
        "promql_expr_test": [
            {"expr": expr, "eval_time": f"{at}s", "exp_samples": [{"value": value}]}
            for (expr, at), value in values.items()
        ],
    }
    whole = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{step}s",
        "group_eval_order": [
            group.name for of_file in files.groups().values() for group in of_file
        ],
        "tests": [test],
    }
    return yaml.safe_dump(whole, sort_keys=False)
