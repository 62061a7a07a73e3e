"""
The clouds under contract. The embedded OpenStack takes part where it runs; otherwise its half is skipped, and says why.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import cloud_rig
import fake_openstack as fake
import requests_mock

from fournines.cloud.errors import CloudError

_OURS = {
    "instances",
    "load_balancers",
    "networks",
    "security_groups",
    "server_groups",
    "floating_ips",
    "ports",
    "volumes",
}


@pytest.fixture(
    scope="module",
    params=["simulated", pytest.param("openstack", marks=pytest.mark.sandbox)],
)
def rig(request):
    """
    A cloud with nothing of ours in it; everything is deleted afterwards, and nothing may be left.
    """
    if request.param == "simulated":
        rig = cloud_rig.simulated()
    else:
        try:
            rig = cloud_rig.openstack()
        except CloudError as error:
            pytest.skip(f"no OpenStack to test on: {error}")
    yield rig
    left = rig.clear()
    close = getattr(rig.cloud, "close", None)
    if close:
        close()
    assert left.model_dump(include=_OURS) == dict.fromkeys(_OURS, ())


@pytest.fixture
def mock():
    """
    All HTTP is canned; what a test does not answer is a cloud that does not.
    """
    with requests_mock.Mocker() as mocker:
        fake.answers(mocker)
        yield mocker


@pytest.fixture
def cloud(mock, tmp_path):
    """
    An adapter for the canned cloud.
    """
    cloud = fake.cloud(tmp_path)
    yield cloud
    cloud.close()
