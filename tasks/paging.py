"""
Calling people without Prometheus and Alertmanager, which may be what is missing: the same webhook, the same form.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import httpx

from alerts import conventions as c
from fournines import log

SECONDS_MAX = 5.0
"""One try."""

TRIES = 3

PAUSE_SECONDS = 2.0
"""Before it is tried again."""

_log = log.get("paging")


def message(
    alert: c.Alert, labels: dict[str, str], summary: str, *, firing: bool
) -> dict[str, Any]:
    """
    A page as Alertmanager words it, version 4.
    """
    status = "firing" if firing else "resolved"
    now = datetime.now(UTC).isoformat()
    named = {
        "alertname": alert.value,
        c.TIER: c.Tier.BLIND.value,
        **labels,
    }
    told = {"summary": summary}
    one = {
        "status": status,
        "labels": named,
        "annotations": told,
        "startsAt": now,
        "endsAt": "0001-01-01T00:00:00Z" if firing else now,
        "fingerprint": "",
        "generatorURL": "",
    }
    return {
        "version": "4",
        "groupKey": f"fournines/{alert.value}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "people",
        "groupLabels": named,
        "commonLabels": named,
        "commonAnnotations": told,
        "externalURL": "",
        "alerts": [one],
    }


def send(url: str, page: dict[str, Any]) -> bool:
    """
    Send it, a few times if need be; whether it was taken. The address may hold a key: it is in no log.
    """
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE_SECONDS)
        try:
            answer = httpx.post(url, json=page, timeout=SECONDS_MAX, trust_env=False)
        except httpx.HTTPError as error:
            _log.warning("page_not_sent", error=type(error).__name__)
            continue
        if answer.status_code < httpx.codes.BAD_REQUEST:
            _log.info("page_sent", alert=page["commonLabels"]["alertname"])
            return True
        _log.warning("page_not_sent", status=answer.status_code)
    return False
