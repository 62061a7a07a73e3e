"""
Prometheus behind the `Metrics` Protocol; the only importer of prometheus_api_client.

No retries: a measurement that comes late is another one, and whoever asks says "blind" and asks again. Values that are no numbers (NaN) are
no measurements and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util import Retry

from fournines.metrics.protocol import MetricsError, Sample

QUERY_TIMEOUT_SECONDS = 2.0
"""An instant query takes milliseconds; evidence that takes longer comes too late to act on."""

SAMPLES_MAX = 200_000
"""A query that gives more is a mistake; a month in five-minute steps is 8,640."""


class Prometheus:
    """
    One Prometheus server.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float = QUERY_TIMEOUT_SECONDS
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # it stands beside us, behind no proxy
        self._client = PrometheusConnect(
            url=self._url,
            retry=Retry(total=0),
            session=self._session,
            timeout=timeout_seconds,
            method="POST",  # long expressions do not fit a URL
        )

    def instant(self, query: str) -> tuple[Sample, ...]:
        result = self._ask(query, lambda: self._client.custom_query(query))
        return tuple(_samples(result, query))

    def over(
        self, query: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Sample, ...]:
        exact = {"start": start.timestamp(), "end": end.timestamp()}
        result = self._ask(
            query,
            lambda: self._client.custom_query_range(
                query, start, end, f"{step_seconds:g}s", params=exact
            ),
        )
        return tuple(_samples(result, query))

    def ready(self) -> bool:
        try:
            answer = self._session.get(
                f"{self._url}/-/ready", timeout=self._timeout_seconds
            )
        except requests.RequestException:
            return False
        return answer.ok

    def _ask(self, query: str, ask: Any) -> Any:
        """
        Put a question and translate whatever goes wrong.
        """
        try:
            return ask()
        except PrometheusApiClientException as error:
            raise MetricsError(f"Prometheus refused {query!r}: {error}") from error
        except requests.RequestException as error:
            raise MetricsError(
                f"Prometheus at {self._url} did not answer {query!r}: "
                f"{type(error).__name__}"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise MetricsError(
                f"what answers at {self._url} is not Prometheus"
            ) from error


def _samples(result: Any, query: str) -> Iterator[Sample]:
    """
    Samples of an answer: a vector's, a matrix' or a scalar's.
    """
    count = 0
    try:
        for labels, moment, value in _points(result):
            count += 1
            if count > SAMPLES_MAX:
                raise MetricsError(f"{query!r} gives more than {SAMPLES_MAX} samples")
            number = float(value)
            if not math.isnan(number):
                yield Sample(labels, number, datetime.fromtimestamp(moment, UTC))
    except (ValueError, KeyError, TypeError) as error:
        raise MetricsError(f"the answer to {query!r} makes no sense") from error


def _points(result: Any) -> Iterator[tuple[dict[str, str], float, str]]:
    if result and not isinstance(result[0], dict):
        yield {}, float(result[0]), result[1]
        return
    for series in result:
        points = series["values"] if "values" in series else [series["value"]]
        for moment, value in points:
            yield series["metric"], float(moment), value
