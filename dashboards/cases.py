"""
Healing: is it on, does it hear, what did it do, how fast.
"""

from __future__ import annotations

from alerts import conventions as c
from dashboards.panel import Board, Kind, Panel, Query, Row

_STAGES = (
    (c.CASE_DETECTION_BUCKET, "detected"),
    (c.CASE_FIRST_ACTION_BUCKET, "first action"),
    (c.CASE_REDUNDANCY_BUCKET, "full redundancy"),
)


def board() -> Board:
    """
    The dashboard of healing.
    """
    return Board(
        "fournines-healing",
        "Fournines: healing",
        "Cases, their speed, refusals, and the way alerts take.",
        (_state(), _speed(), _way(), _healer()),
    )


def _state() -> Row:
    return Row(
        "State",
        (
            Panel(
                "Healing",
                (Query(f"max({c.HEALING_ENABLED})"),),
                "1 while the master switch is on.",
                Kind.NUMBER,
                columns=4,
                red_below=1,
            ),
            Panel(
                "Held back",
                (
                    Query(f"max({c.PAUSES})", "pauses"),
                    Query(f"max({c.WINDOWS_OPEN})", "maintenance windows"),
                    Query(f"max({c.BUILDS_QUARANTINED})", "builds in quarantine"),
                    Query(f"max({c.APPROVALS_WAITING})", "waiting for a person"),
                ),
                "What people and brakes hold; `fournines status` says why.",
                Kind.NUMBER,
                columns=8,
            ),
            Panel(
                "Watchdog",
                (Query(f"min({c.WATCHDOG_AGE})"),),
                "Seconds since the healer last heard the Watchdog.",
                Kind.NUMBER,
                "s",
                columns=4,
                red_above=15,
            ),
            Panel(
                "Open cases",
                (Query(f"sum({c.CASES_OPEN}) or vector(0)"),),
                "Episodes under treatment.",
                Kind.NUMBER,
                columns=4,
            ),
            Panel(
                "Closed cases",
                (
                    Query(
                        f"sum by ({c.DIAGNOSIS}, state) ({c.CASES_CLOSED})"
                        " or vector(0)",
                        "{{diagnosis}} {{state}}",
                    ),
                ),
                "Episodes since the healer began, by diagnosis and end.",
                Kind.TABLE,
            ),
        ),
    )


def _speed() -> Row:
    return Row(
        "Speed",
        tuple(
            Panel(
                f"Fault to {what}",
                (
                    Query(
                        f"histogram_quantile(0.5, sum by ({c.LE}) ({bucket}))"
                        " or vector(0)",
                        "half",
                    ),
                    Query(
                        f"histogram_quantile(0.99, sum by ({c.LE}) ({bucket}))"
                        " or vector(0)",
                        "nearly all",
                    ),
                ),
                f"Seconds from the fault until {what}, over all cases since the healer"
                " began.",
                unit="s",
                columns=8,
            )
            for bucket, what in _STAGES
        ),
    )


def _way() -> Row:
    return Row(
        "The way of alerts",
        (
            Panel(
                "At the door",
                (
                    Query(
                        f"sum by (outcome) (rate({c.ALERTS_RECEIVED}[1m]))",
                        "{{outcome}}",
                    ),
                ),
                "Messages and alerts per second, by what became of them.",
                columns=8,
            ),
            Panel(
                "Refusals",
                (Query(f"sum by (reason) ({c.REFUSALS}) or vector(0)", "{{reason}}"),),
                "What healing did not do, and why.",
                columns=8,
            ),
            Panel(
                "Lost on the way",
                (
                    Query(f"sum(rate({c.NOTIFICATIONS_DROPPED}[1m]))", "Prometheus"),
                    Query(
                        f"sum(rate({c.NOTIFICATIONS_FAILED}"
                        '{integration="webhook"}[1m]))',
                        "Alertmanager",
                    ),
                ),
                "Alerts per second that could not be handed on.",
                columns=8,
            ),
        ),
    )


def _healer() -> Row:
    return Row(
        "The healer itself",
        (
            Panel(
                "Inbox",
                (Query(f"sum({c.INBOX_DEPTH}) or vector(0)", "waiting"),),
                "Alerts that were taken at the door and are not sorted yet.",
                columns=8,
            ),
            Panel(
                "Who holds cases",
                (
                    Query(
                        f"sum by (holder) ({c.CASES_HELD}) or vector(0)", "{{holder}}"
                    ),
                ),
                "Leases on cases, by the healer that holds them.",
                columns=8,
            ),
            Panel(
                "Ends of cases",
                (Query(f"sum by (state) ({c.CASES_ENDED}) or vector(0)", "{{state}}"),),
                "Verdicts since the healer began, over all services.",
                columns=8,
            ),
        ),
    )
