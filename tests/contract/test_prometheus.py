"""
Prometheus' door: what its HTTP API answers, and everything else, in the Protocol's words.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

from fournines.metrics.prometheus import SAMPLES_MAX, Prometheus
from fournines.metrics.protocol import MetricsError

URL = "http://127.0.0.1:19090"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def answer(result, kind="vector"):
    """
    A good answer of Prometheus.
    """
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def test_vector(requests_mock):
    """
    Each series of a vector is one dated sample with its labels; NaN is no sample.
    """
    moment = NOW.timestamp() + 0.25
    requests_mock.post(
        f"{URL}/api/v1/query",
        json=answer(
            [
                {"metric": {"slot": "1"}, "value": [moment, "0.5"]},
                {"metric": {"slot": "2"}, "value": [moment, "NaN"]},
                {"metric": {"slot": "3"}, "value": [moment, "+Inf"]},
            ]
        ),
    )

    first, second = Prometheus(URL + "/").instant("up")

    assert (dict(first.labels), first.value) == ({"slot": "1"}, 0.5)
    assert first.at == NOW + timedelta(seconds=0.25)
    assert second.value == float("inf")


def test_no_data_is_no_samples(requests_mock):
    """
    An empty vector is an empty tuple, not an error.
    """
    requests_mock.post(f"{URL}/api/v1/query", json=answer([]))

    assert Prometheus(URL).instant("absent_metric") == ()


def test_scalar(requests_mock):
    """
    A scalar is one sample without labels.
    """
    requests_mock.post(
        f"{URL}/api/v1/query", json=answer([NOW.timestamp(), "7"], "scalar")
    )

    (sample,) = Prometheus(URL).instant("scalar(up)")

    assert (dict(sample.labels), sample.value, sample.at) == ({}, 7.0, NOW)


def test_over_asks_exact_moments(requests_mock):
    """
    A span is asked for to the millisecond, and every point is a sample.
    """
    points = [[NOW.timestamp(), "1"], [NOW.timestamp() + 5, "2"]]
    requests_mock.post(
        f"{URL}/api/v1/query_range",
        json=answer([{"metric": {}, "values": points}], "matrix"),
    )

    samples = Prometheus(URL).over(
        "up",
        start=NOW - timedelta(seconds=10.5),
        end=NOW,
        step_seconds=0.5,
    )

    assert [sample.value for sample in samples] == [1.0, 2.0]
    asked = requests_mock.last_request.qs
    assert asked["start"] == [str(NOW.timestamp() - 10.5)]
    assert asked["step"] == ["0.5s"]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param({"exc": requests.ConnectTimeout}, id="time-out"),
        pytest.param({"exc": requests.ConnectionError}, id="nobody-there"),
        pytest.param({"status_code": 400, "text": "parse error"}, id="bad-query"),
        pytest.param({"status_code": 503, "text": "starting"}, id="starting"),
        pytest.param({"text": "<html>hello</html>"}, id="another-server"),
        pytest.param({"json": {"status": "success"}}, id="without-data"),
        pytest.param(
            {"json": answer([{"metric": {}, "value": ["now", "x"]}])}, id="nonsense"
        ),
        pytest.param({"json": answer([{"metric": {}}])}, id="without-values"),
        pytest.param({"json": answer(7)}, id="a-number"),
    ],
)
def test_every_failure_is_a_metrics_error(requests_mock, reply):
    """
    Whatever goes wrong is one kind of error: we are blind.
    """
    requests_mock.post(f"{URL}/api/v1/query", **reply)

    with pytest.raises(MetricsError):
        Prometheus(URL).instant("up")


def test_too_many_samples(requests_mock):
    """
    An answer beyond every sensible size is refused.
    """
    point = [NOW.timestamp(), "1"]
    requests_mock.post(
        f"{URL}/api/v1/query_range",
        json=answer([{"metric": {}, "values": [point] * (SAMPLES_MAX + 1)}], "matrix"),
    )

    with pytest.raises(MetricsError, match="more than"):
        Prometheus(URL).over(
            "up", start=NOW - timedelta(days=1), end=NOW, step_seconds=1
        )


@pytest.mark.parametrize(
    ("reply", "ready"),
    [
        pytest.param({"text": "Ready."}, True, id="ready"),
        pytest.param({"status_code": 503}, False, id="starting"),
        pytest.param({"exc": requests.ConnectionError}, False, id="down"),
    ],
)
def test_ready(requests_mock, reply, ready):
    """
    Ready is what Prometheus calls ready; no answer is no.
    """
    requests_mock.get(f"{URL}/-/ready", **reply)

    assert ready is Prometheus(URL).ready()
