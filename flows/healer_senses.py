"""
What this healer's senses are, and how each is asked; how lost ones are told in metrics, and to people directly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts import conventions as c
from flows.senses import Sense, Senses, Tell, tell_nobody
from fournines import log
from fournines.cloud.protocol import KEYSTONE, SERVICES
from fournines.settings import Settings
from tasks import paging
from tasks.workshop import Workshop

ANSWER_SECONDS_MAX = 1.0
"""Health pages answer in milliseconds."""

PREFECT_SECONDS_MAX = 2.0
"""Prefect's does too, but nothing is lost while it is slow: nobody shall be called for that."""

WRITE_SECONDS_MAX = 3.0
"""A row of Prefect's database is written in milliseconds; one that waits longer waits for something."""

WRITE_ENDS_SECONDS = 90.0
"""Prefect itself gives up after a minute. Until then no second write is sent: they would only queue."""

CLOUD_SECONDS = 4.0
"""The other services are read by the healer's own picture in the same rhythm."""

PULSE = "fournines_pulse"
"""A variable of Prefect, overwritten again and again: that its database takes it is all there is to know."""

PREFECT_DATABASE = "prefect-database"
"""Prefect itself may answer without it."""

_log = log.get("senses")


def of_healer(workshop: Workshop, *, prefect: bool) -> tuple[Sense, ...]:
    """
    All senses of a healer. `prefect`: it is to record its runs there.
    """
    settings = workshop.settings
    client = httpx.Client(timeout=ANSWER_SECONDS_MAX, trust_env=False)
    found = [
        Sense(
            name="prometheus",
            without="Prometheus does not answer: nothing is measured and no alert is made; probes and the load balancers' word are left",
            ask=partial(_page, client, f"{settings.url('prometheus')}/-/ready"),
        ),
        Sense(
            name="alertmanager",
            without="Alertmanager does not answer: no alert reaches the healer; its own reading of the cloud is left",
            ask=partial(_page, client, f"{settings.url('alertmanager')}/-/ready"),
        ),
        *of_cloud(workshop),
    ]
    if prefect:
        patient = httpx.Client(timeout=PREFECT_SECONDS_MAX, trust_env=False)
        api = f"{settings.url('prefect')}/api"
        found += [
            Sense(
                name="prefect",
                without="Prefect does not answer: healing goes on, its runs are recorded afterwards",
                ask=partial(_page, patient, f"{api}/health"),
                misses_max=3,
                severity=c.Severity.TICKET,
            ),
            Sense(
                name=PREFECT_DATABASE,
                without="Prefect's database takes nothing: healing goes on, its runs are recorded afterwards",
                ask=Pulse(workshop, api),
                misses_max=3,
                severity=c.Severity.TICKET,
            ),
        ]
    return tuple(found)


def of_cloud(workshop: Workshop) -> tuple[Sense, ...]:
    """
    The cloud's own services.
    """

    def ask(name: str) -> str:
        silent = workshop.cloud.unanswered((name,))
        return f"{name} gives no answer" if silent else ""

    return tuple(
        Sense(
            name=name,
            without=f"{name} does not answer: what needs it waits; nothing is built meanwhile, and what failed meanwhile is tried again",
            ask=partial(ask, name),
            seconds=1.0 if name == KEYSTONE else CLOUD_SECONDS,
            is_cloud=True,
        )
        for name in SERVICES
    )


class Pulse:
    """
    Whether Prefect's database takes a write: one at a time, in the background, and how long it has been waited for.
    """

    def __init__(self, workshop: Workshop, api: str) -> None:
        self._crew = workshop.crew
        self._lock = workshop.crew.lock()
        self._client = httpx.Client(timeout=WRITE_ENDS_SECONDS, trust_env=False)
        self._url = f"{api}/variables/"
        self._sent_at: float | None = None
        self._news: str | None = None

    def __call__(self) -> str | None:
        """
        An empty text when a write went through; None while one is under way, as long as that may take.
        """
        with self._lock:
            sent_at, news = self._sent_at, self._news
            if sent_at is None:
                self._sent_at, self._news = time.monotonic(), None
                self._crew.beside("prefect-pulse", self._write)
                return news
        waited = time.monotonic() - sent_at
        if waited > WRITE_SECONDS_MAX:
            return f"a write has waited for {waited:.0f} s"
        return None

    def _write(self) -> None:
        why = ""
        try:
            value = {"value": f"{time.time():.0f}"}
            answer = self._client.patch(f"{self._url}name/{PULSE}", json=value)
            if answer.status_code == httpx.codes.NOT_FOUND:
                made = value | {"name": PULSE}
                answer = self._client.post(self._url, json=made)
            if answer.status_code >= httpx.codes.BAD_REQUEST:
                why = f"a write was answered with HTTP {answer.status_code}"
        except httpx.HTTPError as error:
            why = f"a write failed ({type(error).__name__})"
        with self._lock:
            self._sent_at, self._news = None, why


class SenseGauges(Collector):
    """
    Each sense, 1 while it answers.
    """

    def __init__(self, senses: Senses) -> None:
        self._senses = senses

    def describe(self) -> list[Metric]:
        """
        Nothing beforehand: descriptions come with the samples.
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """
        All samples now.
        """
        family = GaugeMetricFamily(
            c.SENSE_UP, "1 while one of the healer's senses answers.", labels=["sense"]
        )
        for name, out in sorted(self._senses.out().items()):
            family.add_metric([name], 0 if out else 1)
        yield family


def directly(
    settings: Settings, beside: Callable[[Callable[[], object]], None]
) -> Tell:
    """
    Tells people by the webhook that Alertmanager would use: it may be what is missing.
    """
    given = settings.page_url
    if given is None:
        return tell_nobody
    url = given.get_secret_value()

    def tell(sense: Sense, said: str, out: bool) -> None:  # noqa: FBT001  as `Tell`
        labels = {"sense": sense.name, c.SEVERITY: sense.severity.value}
        summary = (
            f"{sense.without} ({said})" if out else f"{sense.name} is back: {said}"
        )
        page = paging.message(c.Alert.SENSE_LOST, labels, summary, firing=out)
        beside(partial(paging.send, url, page))

    return tell


def _page(client: httpx.Client, url: str) -> str:
    """
    A health page.
    """
    try:
        answer = client.get(url)
    except httpx.HTTPError as error:
        return f"no answer: {type(error).__name__}"
    return "" if answer.status_code == httpx.codes.OK else f"HTTP {answer.status_code}"
