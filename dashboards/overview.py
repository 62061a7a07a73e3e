"""
A platform at a glance: which promise is in danger, who serves, whether we see.
"""

from __future__ import annotations

from alerts import conventions as c
from dashboards.panel import PLATFORM_VARIABLE, Board, Kind, Panel, Query, Row

PLATFORM_VALUES = f"label_values({c.SERVICE_INFO}, {c.PLATFORM})"

_HERE = f'{c.PLATFORM}="$platform"'


def board() -> Board:
    """
    The overview.
    """
    return Board(
        "fournines-overview",
        "Fournines: platform",
        "Budgets, traffic and members of every service of a platform.",
        (_promises(), _traffic(), _sight()),
        ((PLATFORM_VARIABLE, PLATFORM_VALUES),),
    )


def _promises() -> Row:
    return Row(
        "Promises",
        (
            Panel(
                "Budget left",
                (
                    Query(
                        f"min by ({c.SERVICE}, {c.SLO})"
                        f" ({c.REC_BUDGET_REMAINING}{{{_HERE}}})",
                        "{{service}} {{slo}}",
                    ),
                ),
                "Share of the window's error budget that is left, per objective.",
                Kind.BARS,
                "percentunit",
                columns=16,
                red_below=0.25,
            ),
            Panel(
                "Services",
                (Query(f"count({c.SERVICE_INFO}{{{_HERE}}})"),),
                "Services of this platform.",
                Kind.NUMBER,
                columns=4,
            ),
            Panel(
                "Open cases",
                (Query(f"sum({c.CASES_OPEN}{{{_HERE}}}) or vector(0)"),),
                "Episodes that healing works on at this moment.",
                Kind.NUMBER,
                columns=4,
                red_above=1,
            ),
        ),
    )


def _traffic() -> Row:
    total = f"{c.edge_total_over('1m')}{{{_HERE}}}"
    errors = f"{c.edge_errors_over('1m')}{{{_HERE}}}"
    in_service = f"{c.REC_MEMBER_IN_SERVICE}{{{_HERE}}}"
    return Row(
        "Services",
        (
            Panel(
                "Requests",
                (Query(total, "{{service}}"),),
                "Requests per second at each service's load balancer.",
                unit="reqps",
            ),
            Panel(
                "Errors",
                (Query(f"{errors} / ({total} > 0)", "{{service}}"),),
                "Share of answers that were 5xx, time-outs included.",
                unit="percentunit",
            ),
            Panel(
                "Members in service",
                (
                    Query(
                        f"count by ({c.SERVICE}, {c.GROUP}) ({in_service})",
                        "{{service}} {{group}}",
                    ),
                    Query(
                        f"{c.MIN_HEALTHY}{{{_HERE}}}",
                        "{{service}} {{group}}: at least",
                    ),
                ),
                "Members that take traffic, and the number healing never goes below.",
            ),
            Panel(
                "Ringing",
                (
                    Query(
                        f"count by (alertname, {c.SERVICE})"
                        ' (ALERTS{alertstate="firing"})',
                        "{{alertname}} {{service}}",
                    ),
                ),
                "Alerts that fire. The Watchdog always does.",
            ),
        ),
    )


def _sight() -> Row:
    return Row(
        "Sight",
        (
            Panel(
                "Targets that answer",
                (Query(f"avg by (job) ({c.UP})", "{{job}}"),),
                "Share of scrape targets that answered, per kind.",
                unit="percentunit",
            ),
            Panel(
                "Rules",
                (
                    Query(
                        f"max by (rule_group) (label_replace({c.RULE_DURATION},"
                        ' "rule_group", "$1", "rule_group", ".*;(.+)"))',
                        "{{rule_group}}",
                    ),
                ),
                "Time the last evaluation of each rule group took.",
                unit="s",
            ),
        ),
    )
