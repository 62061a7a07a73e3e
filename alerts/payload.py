"""
Alertmanager's webhook message, version 4, read into the inbox's records. Pure.

Tolerant of keys we do not know, strict on what we need, limited in every direction: the door is reached by anyone who
has the token. A message is taken whole or refused whole, with a reason.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from alerts import conventions as c
from fournines.model import names
from fournines.model.case import Subject
from fournines.model.plain import plain
from fournines.store.protocol import AlertRecord

BODY_BYTES_MAX = 1_048_576
"""A storm of 1,000 alerts is about 0.7 MB."""

ALERTS_MAX = 2_000
"""Alerts in one message; Alertmanager sends one message per group."""

LABELS_MAX = 64
"""Prometheus' own rules of thumb stay below 30."""

_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_LabelValue = Annotated[str, StringConstraints(max_length=1_000)]
_Text = Annotated[str, StringConstraints(max_length=4_000)]
_Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
_Moment = Annotated[
    AwareDatetime,
    Field(gt=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]
"""A begin outside this range is no begin, and would overflow when turned to UTC."""

_SLOT_DIGITS_MAX = 6

_HOST = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""A host name, which every instance's name is."""


class Fault(StrEnum):
    """
    Why a message was refused.
    """

    TOO_BIG = "too-big"
    NOT_JSON = "not-json"
    VERSION = "version"
    MALFORMED = "malformed"


class PayloadRefused(ValueError):
    """
    The message cannot be taken; `fault` says why, the text says where.
    """

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"alert message refused ({fault}): {detail}")
        self.fault = fault
        self.detail = detail


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Alert(_Message):
    status: Literal["firing", "resolved"]
    labels: Annotated[dict[_Name, _LabelValue], Field(max_length=LABELS_MAX)]
    annotations: Annotated[dict[_Name, _Text], Field(max_length=LABELS_MAX)] = {}
    starts_at: _Moment = Field(alias="startsAt")
    ends_at: AwareDatetime | None = Field(None, alias="endsAt")
    fingerprint: _Fingerprint


class _Webhook(_Message):
    version: str
    truncated: int = Field(0, alias="truncatedAlerts", ge=0)
    alerts: Annotated[tuple[_Alert, ...], Field(max_length=ALERTS_MAX)]


def parse(body: bytes, *, received_at: datetime) -> tuple[AlertRecord, ...]:
    """
    The alerts of one message, in its order.

    Raises:
        PayloadRefused: Too big, not JSON, another version, or something needed is missing or out of its limits.
    """
    if len(body) > BODY_BYTES_MAX:
        raise PayloadRefused(Fault.TOO_BIG, f"{len(body)} bytes > {BODY_BYTES_MAX}")
    try:
        message = _Webhook.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from error
    if message.version != "4":
        version = plain(message.version)[:20]
        raise PayloadRefused(Fault.VERSION, f"version {version!r}, not 4")
    return tuple(_record(alert, received_at) for alert in message.alerts)


def is_watchdog(record: AlertRecord) -> bool:
    """
    Whether the alert only says that the chain from rule to door is alive.
    """
    return record.name == c.Alert.WATCHDOG


def subject(record: AlertRecord) -> Subject | None:
    """
    The place an alert is about, or None when it is about no service of ours.

    A slot that is no number is ignored: the alert then is about its group. Names that none of ours can be are no place.
    """
    labels = record.labels
    platform, service = labels.get(c.PLATFORM, ""), labels.get(c.SERVICE, "")
    group, slot = labels.get(c.GROUP, ""), labels.get(c.SLOT, "")
    if not (names.is_name(platform) and names.is_name(service)):
        return None
    if group and not names.is_name(group):
        return None
    instance = labels.get(c.INSTANCE_NAME, "")
    return Subject(
        platform=platform,
        service=service,
        group=group or None,
        slot=int(slot) if _is_slot(slot) else None,
        instance=instance if _HOST.fullmatch(instance) else None,
    )


def _is_slot(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _SLOT_DIGITS_MAX


def _record(alert: _Alert, received_at: datetime) -> AlertRecord:
    starts_at = alert.starts_at.astimezone(UTC)
    labels = _plain(alert.labels)
    name = labels.get("alertname")
    if not name:
        raise PayloadRefused(Fault.MALFORMED, "an alert without an alertname")
    return AlertRecord(
        key=f"{alert.fingerprint}@{starts_at.isoformat()}",
        fingerprint=alert.fingerprint,
        name=name,
        status=alert.status,
        labels=labels,
        annotations=_plain(alert.annotations),
        starts_at=starts_at,
        ends_at=_end(alert, starts_at),
        received_at=received_at,
    )


def _plain(texts: dict[str, str]) -> dict[str, str]:
    """
    Here is the border: nothing further in meets a terminal escape, a NUL or half a character.
    """
    return {plain(name): plain(text) for name, text in texts.items()}


def _end(alert: _Alert, starts_at: datetime) -> datetime | None:
    """
    When it ended. A firing alert carries Go's zero time (year 1) or the moment it would time out: neither is an end.
    """
    if alert.status == "firing" or alert.ends_at is None or alert.ends_at < starts_at:
        return None
    return alert.ends_at.astimezone(UTC)


def _refusal(error: ValidationError) -> PayloadRefused:
    first = error.errors(include_input=False, include_url=False)[0]
    fault = Fault.NOT_JSON if first["type"] == "json_invalid" else Fault.MALFORMED
    where = ".".join(plain(str(part))[:40] for part in first["loc"])
    return PayloadRefused(fault, f"{where or 'message'}: {plain(first['msg'])[:200]}")
