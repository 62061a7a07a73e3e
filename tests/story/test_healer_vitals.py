"""
What the healer says of itself: the whole process composed on the simulated cloud, read as Prometheus reads it.
"""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alerts.generation import blind, watchman
from flows.healer import Healer
from fournines.cloud.simulated import Behaviour, Fault, FaultKind
from fournines.model.refusal import Reason
from fournines.store.protocol import StoreError
from tasks import leasing
from tests.story.clinic import Clinic

SICK = "demo-shop-web-1-g1"


class Scraped:
    """
    A healer's metrics page.
    """

    def __init__(self, healer) -> None:
        self.healer = healer

    async def _page(self):
        transport = httpx.ASGITransport(self.healer.application())
        async with httpx.AsyncClient(
            transport=transport, base_url="http://healer"
        ) as client:
            return (await client.get("/metrics")).text

    def samples(self):
        """
        All samples, each with its labels.
        """
        page = asyncio.run(self._page())
        return [
            sample
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        ]

    def value(self, name, **labels):
        """
        One sample's value; None when there is none.
        """
        found = [
            sample.value
            for sample in self.samples()
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return found[0] if found else None


@pytest.fixture
def clinic(tmp_path):
    """
    A deployed service.
    """
    return Clinic(tmp_path)


@pytest.fixture
def scraped(clinic):
    """
    A healer that has looked once, and is not running.
    """
    healer = Healer(clinic.workshop, clinic.gauges)
    healer.view.refresh()
    healer.counts.expect(healer.view.platforms)
    return Scraped(healer)


def test_no_alert_reads_what_nobody_exports(scraped):
    """
    An alert on a metric that does not exist would be silent for ever.
    """
    scraped.healer.loops.run("watch", lambda: None, seconds=60)
    for sense in scraped.healer.senses.senses:
        if sense.is_cloud:
            scraped.healer.senses.look(sense)
    exported = {sample.name for sample in scraped.samples()}
    rules = [*watchman.alerts(), *blind.alerts()]
    read = {
        name
        for rule in rules
        for name in re.findall(r"\b(?:fournines|process)_[a-z_]+", rule.expr)
    }

    assert len(read) >= 9
    assert read <= exported
    scraped.healer.loops.end()


def test_counters_stand_at_zero_before_they_rise(scraped):
    """
    A counter that first appears as 1 has never risen, and nobody would be called for the first paged case.
    """
    for state in ("recovered", "refused", "paged"):
        where = {"service": "shop", "state": state}
        assert scraped.value("fournines_cases_ended_total", **where) == 0
    for reason in Reason:
        assert scraped.value("fournines_refusals_total", reason=reason) == 0


def test_what_waits_is_counted_and_dated(clinic, scraped):
    """
    An alert in the inbox, then a case that nobody holds, then one that somebody does.
    """
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    clinic.settle(7)
    assert scraped.value("fournines_inbox_pending") == 1
    assert scraped.value("fournines_inbox_oldest_seconds") >= 7
    assert scraped.value("fournines_view_age_seconds") >= 7

    (case,) = clinic.admissions.sort()
    assert scraped.value("fournines_inbox_pending") == 0
    assert scraped.value("fournines_cases_unattended") == 1
    with leasing.holding(clinic.workshop, [leasing.of_case(case.id)], purpose="case"):
        assert scraped.value("fournines_cases_unattended") == 0
        assert scraped.value("fournines_cases_held") == 1


def test_a_store_that_is_down_is_said(clinic, scraped):
    """
    The page still answers, and says what is missing.
    """

    class Broken:
        def pending(self, limit):
            raise StoreError("reading pending alerts: disk full")

    class Store:
        inbox = Broken()

    assert scraped.value("fournines_store_up") == 1
    scraped.healer.vitals._store = Store()
    assert scraped.value("fournines_store_up") == 0
    assert scraped.value("fournines_inbox_pending") is None


def test_a_closed_case_is_counted_with_its_times(clinic, scraped):
    """
    Verdict and histograms, by diagnosis.
    """
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    clinic.alert(SICK)
    (closed,) = clinic.heal()
    scraped.healer.counts.closed(closed)

    assert scraped.value("fournines_cases_ended_total", state="recovered") == 1
    for stage in ("detection", "first_action", "redundancy"):
        name = f"fournines_case_{stage}_seconds_count"
        assert scraped.value(name, diagnosis="gone") == 1


def test_a_cloud_that_does_not_answer_is_not_read(clinic, scraped):
    """
    Rounds go on and what was read before is kept; its age is what is told.
    """
    clinic.cloud.inject(Fault(FaultKind.CREDENTIALS, call="inventory"))
    clinic.settle(70)
    scraped.healer.view.refresh()

    assert scraped.value("fournines_view_age_seconds") >= 70
