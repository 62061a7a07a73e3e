"""
Alertmanager messages: taken whole or refused whole, with a reason.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from alerts import payload
from alerts.payload import Fault, PayloadRefused
from fournines.model.case import Subject

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def an_alert(**changes: object):
    """
    A good alert, as Alertmanager 0.25 sends it.
    """
    return {
        "status": "firing",
        "labels": {
            "alertname": "ProbeFail",
            "platform": "demo",
            "service": "shop",
            "group": "web",
            "slot": "2",
            "instance_name": "demo-shop-web-2-g1",
        },
        "annotations": {"summary": "no answer"},
        "startsAt": "2026-11-22T12:59:58.123456789+01:00",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1/graph",
        "fingerprint": "0123456789abcdef",
    } | changes


def a_message(*alerts: object, **changes: object):
    """
    A good message around alerts.
    """
    return json.dumps(
        {"version": "4", "receiver": "heal", "truncatedAlerts": 0}
        | {"alerts": list(alerts)}
        | changes
    ).encode()


def read(body):
    """
    Parse as of NOW.
    """
    return payload.parse(body, received_at=NOW)


def test_firing_alert_becomes_a_record():
    """
    A firing alert has no end, UTC times and a key made of fingerprint and begin.
    """
    (record,) = read(a_message(an_alert()))

    assert record.key == "0123456789abcdef@2026-11-22T11:59:58.123456+00:00"
    assert (record.name, record.status, record.ends_at) == ("ProbeFail", "firing", None)
    assert record.received_at == NOW


def test_key_ignores_the_time_zone_it_was_written_in():
    """
    The same moment written in another zone is the same firing.
    """
    (here,) = read(a_message(an_alert()))
    (there,) = read(a_message(an_alert(startsAt="2026-11-22T11:59:58.123456Z")))

    assert here.key == there.key


def test_resolved_alert_has_its_end():
    """
    A resolved alert keeps its key and says when it ended.
    """
    (record,) = read(
        a_message(an_alert(status="resolved", endsAt="2026-11-22T12:00:00Z"))
    )

    assert record.key.startswith("0123456789abcdef@")
    assert record.ends_at == NOW


def test_end_before_begin_is_no_end():
    """
    A resolved alert with Go's zero time as its end has no known end.
    """
    (record,) = read(a_message(an_alert(status="resolved")))

    assert record.ends_at is None


def test_subject_is_the_member():
    """
    Labels name the place, slot as a number.
    """
    (record,) = read(a_message(an_alert()))

    assert payload.subject(record) == Subject(
        platform="demo",
        service="shop",
        group="web",
        slot=2,
        instance="demo-shop-web-2-g1",
    )


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param({"alertname": "HealerDown"}, None, id="about-no-service"),
        pytest.param(
            {"alertname": "B", "platform": "demo", "service": "shop"},
            Subject(platform="demo", service="shop"),
            id="about-a-whole-service",
        ),
        pytest.param(
            {"alertname": "B", "platform": "demo", "service": "shop", "slot": "²"},
            Subject(platform="demo", service="shop"),
            id="a-slot-that-is-no-number-is-ignored",
        ),
        pytest.param(
            {"alertname": "B", "platform": "demo", "service": "shop", "slot": "9" * 99},
            Subject(platform="demo", service="shop"),
            id="a-slot-beyond-any-group-is-ignored",
        ),
    ],
)
def test_subject(labels, expected):
    """
    Whatever labels come, the subject is a place of ours or nothing.
    """
    (record,) = read(a_message(an_alert(labels=labels)))

    assert payload.subject(record) == expected


def test_watchdog_is_recognised():
    """
    The Watchdog is told from alerts about something.
    """
    (watchdog, other) = read(
        a_message(an_alert(labels={"alertname": "Watchdog"}), an_alert())
    )

    assert payload.is_watchdog(watchdog)
    assert not payload.is_watchdog(other)


def test_unknown_keys_are_ignored():
    """
    A newer Alertmanager may say more.
    """
    assert len(read(a_message(an_alert(novelty=1), groupKey="{}", more={}))) == 1


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(b"", Fault.NOT_JSON, id="nothing"),
        pytest.param(a_message(an_alert())[:-9], Fault.NOT_JSON, id="truncated"),
        pytest.param(b"\xff\xfe", Fault.NOT_JSON, id="no-text"),
        pytest.param(b"[]", Fault.MALFORMED, id="a-list"),
        pytest.param(b"[" * 5_000, Fault.NOT_JSON, id="a-nesting-bomb"),
        pytest.param(b'{"version": "4"}', Fault.MALFORMED, id="without-alerts"),
        pytest.param(a_message(version="3"), Fault.VERSION, id="an-old-version"),
        pytest.param(
            b" " * (payload.BODY_BYTES_MAX + 1), Fault.TOO_BIG, id="too-many-bytes"
        ),
        pytest.param(
            a_message(*[an_alert(labels={"alertname": "A"})] * 2_001),
            Fault.MALFORMED,
            id="too-many-alerts",
        ),
        pytest.param(
            a_message(an_alert(labels={})), Fault.MALFORMED, id="without-a-name"
        ),
        pytest.param(
            a_message(an_alert(labels={f"l{n}": "" for n in range(65)})),
            Fault.MALFORMED,
            id="too-many-labels",
        ),
        pytest.param(
            a_message(an_alert(labels={"alertname": "x" * 1_001})),
            Fault.MALFORMED,
            id="a-label-too-long",
        ),
        pytest.param(
            a_message(an_alert(labels={"alertname": 1})),
            Fault.MALFORMED,
            id="a-label-that-is-no-text",
        ),
        pytest.param(
            a_message(an_alert(status="maybe")), Fault.MALFORMED, id="unknown-status"
        ),
        pytest.param(
            a_message(an_alert(fingerprint="../../etc")),
            Fault.MALFORMED,
            id="a-fingerprint-that-is-none",
        ),
        pytest.param(
            a_message(an_alert(startsAt="2026-11-22T12:00:00")),
            Fault.MALFORMED,
            id="a-begin-without-zone",
        ),
        pytest.param(
            a_message(an_alert(startsAt="0001-01-01T00:00:00+05:00")),
            Fault.MALFORMED,
            id="a-begin-before-time",
        ),
    ],
)
def test_refused(body, fault):
    """
    What cannot be taken is refused with its reason, and nothing of it is taken.
    """
    with pytest.raises(PayloadRefused) as refusal:
        read(body)

    assert refusal.value.fault is fault


def test_refusal_does_not_repeat_the_content():
    """
    Refusal texts say where, never what was sent there.
    """
    with pytest.raises(PayloadRefused) as refusal:
        read(a_message(an_alert(status="s3cret")))

    assert "s3cret" not in str(refusal.value)
    assert "alerts.0.status" in str(refusal.value)
