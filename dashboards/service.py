"""
One service: what was promised, what was spent, and how each member does.
"""

from __future__ import annotations

from alerts import conventions as c
from dashboards.overview import PLATFORM_VALUES
from dashboards.panel import (
    PLATFORM_VARIABLE,
    SERVICE_VARIABLE,
    Board,
    Kind,
    Panel,
    Query,
    Row,
)

HERE = f'{c.PLATFORM}="$platform", {c.SERVICE}="$service"'
_BURN_WINDOWS = ("1m", "5m", "1h")
_QUANTILES = (0.5, 0.95, 0.99)


def board() -> Board:
    """
    The dashboard of one service.
    """
    values = f'label_values({c.SERVICE_INFO}{{{c.PLATFORM}="$platform"}}, {c.SERVICE})'
    return Board(
        "fournines-service",
        "Fournines: service",
        "Objectives, error budget, traffic and members of one service.",
        (promise(), _users(), _members()),
        ((PLATFORM_VARIABLE, PLATFORM_VALUES), (SERVICE_VARIABLE, values)),
    )


def promise() -> Row:
    """
    What was promised and what is left of it, of any service.
    """
    return Row(
        "Promise",
        (
            Panel(
                "Budget left",
                (Query(f"{c.REC_BUDGET_REMAINING}{{{HERE}}}", "{{slo}}"),),
                "Share of the window's budget that is left.",
                Kind.NUMBER,
                "percentunit",
                columns=6,
                red_below=0.25,
            ),
            Panel(
                "Budget spent",
                (Query(f"{c.REC_BUDGET_SPENT}{{{HERE}}}", "{{slo}}"),),
                "The same in seconds of full outage at the window's mean traffic.",
                Kind.NUMBER,
                "s",
                columns=6,
            ),
            Panel(
                "Burn",
                tuple(_burn(window) for window in _BURN_WINDOWS),
                "How many times faster than allowed the budget burns: at 1 it lasts"
                " exactly its window.",
                red_above=14.4,
            ),
        ),
    )


def _burn(window: str) -> Query:
    """
    Error ratio over budget ratio.
    """
    errors = f"{c.errors_over(window)}{{{HERE}}}"
    total = f"{c.total_over(window)}{{{HERE}}}"
    labels = ", ".join(c.OBJECTIVE_LABELS)
    return Query(
        f"{errors} / ({total} > 0)"
        f" / on ({labels}) max by ({labels}) ({c.BUDGET_RATIO}{{{HERE}}})",
        f"{{{{slo}}}} {window}",
    )


def _users() -> Row:
    codes = f"{c.POOL_RESPONSES}{{{HERE}}}"
    buckets = f'{c.APP_BUCKET}{{job="{c.Job.MEMBERS}", {HERE}}}'
    return Row(
        "What users see",
        (
            Panel(
                "Answers",
                (Query(f"sum by ({c.CODE}) (rate({codes}[10s]))", "{{code}}"),),
                "Answers per second at the load balancer, by code.",
                unit="reqps",
            ),
            Panel(
                "Answer time",
                tuple(
                    Query(
                        f"histogram_quantile({quantile:g},"
                        f" sum by ({c.LE}) (rate({buckets}[30s])))",
                        f"{quantile:.0%}",
                    )
                    for quantile in _QUANTILES
                ),
                "Time members take for an answer, by their own histograms.",
                unit="s",
            ),
        ),
    )


def _members() -> Row:
    return Row(
        "Members",
        (
            _per_member(
                "Requests", c.REC_MEMBER_TOTAL, "Requests per second.", "reqps"
            ),
            _per_member(
                "Errors", c.REC_MEMBER_ERRORS, "5xx per second at the edge.", "reqps"
            ),
            _per_member(
                "Answer time",
                c.REC_MEMBER_OWN_TIME,
                "Mean of five seconds by the member's own clock.",
                "s",
            ),
            _per_member(
                "Sessions",
                c.REC_MEMBER_SESSIONS,
                "Requests that a member has in hand: they pile up when it hangs.",
            ),
            _per_member(
                "Weight",
                c.REC_MEMBER_WEIGHT,
                "0 is drained: healing's first, reversible move.",
            ),
            Panel(
                "Probes",
                (Query(f"{c.PROBE_DURATION}{{{HERE}}}", f"{{{{{c.INSTANCE_NAME}}}}}"),),
                "Time of our own fetches of a page users use.",
                unit="s",
                columns=8,
            ),
        ),
    )


def _per_member(
    title: str, record: str, description: str, unit: str = "short"
) -> Panel:
    query = Query(f"{record}{{{HERE}}}", f"{{{{{c.INSTANCE_NAME}}}}}")
    return Panel(title, (query,), description, unit=unit, columns=8)
