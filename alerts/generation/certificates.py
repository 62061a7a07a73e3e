"""
The alert on a certificate that is not renewed: what renews it has tried for two weeks of nights, and may not do what a person may.
"""

from __future__ import annotations

from alerts import conventions as c
from alerts.generation.promql import by
from alerts.generation.rule import AlertRule

DAYS_MIN = 14
"""It is renewed from the thirtieth day before its end on; a week of nights would do, and a person needs days to find an hour for an outage."""

WAIT_SECONDS = 60


def alerts() -> tuple[AlertRule, ...]:
    """
    One.
    """
    return (
        AlertRule(
            c.Alert.CERTIFICATE_ENDING,
            f"min by ({by(c.SERVICE_LABELS)}) ({c.CERTIFICATE_LEFT}) < {DAYS_MIN * 86_400}",
            c.Severity.PAGE,
            c.Tier.BLIND,
            "a certificate of {{ $labels.service }} ends in {{ $value | humanizeDuration }} and is not renewed by itself; "
            "fournines deploy --service {{ $labels.service }} --force renews it, with an outage where there is one member",
            for_seconds=WAIT_SECONDS,
        ),
    )
