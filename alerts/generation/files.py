"""
Which rules stand in which file and group.

- fast.yml: records first, then what fires within a second, in one group, so that an alert sees the records of its own moment;
- burn.yml: slower windows, their alerts and the budgets;
- blind.yml: what watches the watchers.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.cadence import Cadence
from alerts.generation import (
    blind,
    burn,
    causes,
    certificates,
    indicators,
    levels,
    members,
    recovery,
    services,
    watchman,
)
from alerts.generation import objectives as objective_records
from alerts.generation.rule import RUNBOOKS, RuleGroup, render

FAST_FILE = "fast.yml"
BURN_FILE = "burn.yml"
BLIND_FILE = "blind.yml"


def groups(cadence: Cadence | None = None) -> dict[str, tuple[RuleGroup, ...]]:
    """
    All rule groups, by file.
    """
    pace = cadence or Cadence()
    return {
        FAST_FILE: (_fast(pace),),
        BURN_FILE: (_medium(pace), _minute(pace), _five_minutes(pace)),
        BLIND_FILE: (
            RuleGroup("blind", pace.blind_seconds, blind.alerts()),
            RuleGroup("watchman", pace.blind_seconds, watchman.alerts()),
            RuleGroup("services", pace.blind_seconds, services.alerts()),
            RuleGroup("recovery", pace.blind_seconds, recovery.alerts()),
            RuleGroup("certificates", pace.blind_seconds, certificates.alerts()),
        ),
    }


def texts(
    cadence: Cadence | None = None, *, runbooks: str = RUNBOOKS
) -> dict[str, str]:
    """
    All rule files, by name.
    """
    return {
        name: render(of_file, runbooks=runbooks)
        for name, of_file in groups(cadence).items()
    }


def _fast(pace: Cadence) -> RuleGroup:
    rates = tuple(
        record
        for window in indicators.FAST_WINDOWS
        for record in indicators.records(window)
    )
    return RuleGroup(
        "fast",
        pace.fast_seconds,
        (
            *members.records(pace),
            *objective_records.records(),
            *rates,
            *causes.alerts(pace),
            burn.alert(c.Alert.BURN_MINUTE),
            blind.WATCHDOG,
        ),
    )


def _medium(pace: Cadence) -> RuleGroup:
    return RuleGroup(
        "medium",
        pace.medium_seconds,
        (
            *indicators.records(indicators.MEDIUM_WINDOW),
            *members.noises(),
            burn.alert(c.Alert.BURN_FIVE_MINUTES),
            burn.alert(c.Alert.BURN_HOUR),
        ),
    )


def _minute(pace: Cadence) -> RuleGroup:
    return RuleGroup(
        "minute",
        pace.level_seconds,
        (
            *levels.minute_records(),
            burn.alert(c.Alert.BURN_SIX_HOURS),
            *levels.budget_records(),
        ),
    )


def _five_minutes(pace: Cadence) -> RuleGroup:
    return RuleGroup(
        "five-minutes",
        pace.slow_seconds,
        (*levels.five_minute_records(), burn.alert(c.Alert.BURN_THREE_DAYS)),
    )
