"""
How long the certificates of services still hold: a renewal that does not come to pass is seen weeks before anybody is refused.

Read on a rhythm of its own, for every certificate is decrypted; the seconds are those of the scrape.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts import conventions as c
from flows.healer_view import View
from tasks import rotation
from tasks.workshop import Workshop


class CertificateGauges(Collector):
    """
    Per service, the seconds that the first of its certificates to end has left.
    """

    def __init__(self, workshop: Workshop, view: View) -> None:
        self._workshop = workshop
        self._view = view
        self._ends: dict[tuple[str, str], datetime] = {}

    def read(self) -> None:
        """
        Read the certificates of every registered platform.
        """
        self._ends = {
            (platform.name, service): at
            for platform in self._view.platforms
            for service, at in rotation.first_ends(self._workshop, platform).items()
        }

    def describe(self) -> list[Metric]:
        """
        Nothing beforehand: descriptions come with the samples.
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """
        One sample per service that has certificates.
        """
        now = self._workshop.clock.now()
        family = GaugeMetricFamily(
            c.CERTIFICATE_LEFT,
            "Seconds until the first of a service's certificates ends.",
            labels=list(c.SERVICE_LABELS),
        )
        for key, at in self._ends.items():
            family.add_metric(list(key), (at - now).total_seconds())
        yield family
