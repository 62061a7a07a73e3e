"""
A service of one member: no night renews its certificate, a person is told in time, and what they are told to do ends it.
"""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from alerts.generation.certificates import DAYS_MIN
from flows.certificate_gauges import CertificateGauges
from flows.healer_view import View
from tasks import deployment, rotation
from tests.contract.operator_rig import a_stateful_platform
from tests.unwind.harness import PLATFORM, World

pytestmark = pytest.mark.usefixtures("nothing_concealed")

DAY = 86_400.0
USER_DATA = """#cloud-config
write_files:
  - {path: /etc/key.pem, content: "@{private-key:@SLOT@}"}
"""


def days_left(world) -> float:
    """
    As Prometheus reads it.
    """
    workshop = world.workshop()
    view = View(workshop)
    view.refresh()
    gauges = CertificateGauges(workshop, view)
    gauges.read()
    registry = CollectorRegistry()
    registry.register(gauges)
    labels = {"platform": PLATFORM, "service": "db"}
    left = registry.get_sample_value("fournines_certificate_left_seconds", labels)
    assert left is not None
    return left / DAY


def test_nobody_runs_into_the_end_of_a_certificate():
    """
    Every night from the sixtieth day on is refused with the way; two weeks before the end the gauge is where a person is called; the way works.
    """
    world = World()
    one = a_stateful_platform(count=1, user_data=USER_DATA)
    assert deployment.deploy(world.workshop(), one, insist=True).ok
    assert days_left(world) == pytest.approx(90, abs=0.1)

    world.clock.advance(61 * DAY)
    for _ in range(90 - 61 - DAYS_MIN):
        (night,) = rotation.renew_certificates(world.workshop())
        assert not night.result.ok
        assert "deploy with --force when that may be, or scale it to 3" in (
            night.sentence()
        )
        assert days_left(world) > DAYS_MIN
        world.clock.advance(DAY)
    assert days_left(world) <= DAYS_MIN

    assert deployment.deploy(world.workshop(), one, only="db", insist=True).ok

    assert days_left(world) == pytest.approx(90, abs=0.1)
    assert rotation.renew_certificates(world.workshop()) == ()
