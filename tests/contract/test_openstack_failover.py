"""
Failing a load balancer over on OpenStack: only through Octavia, and not where Octavia has stopped doing it.
"""

from __future__ import annotations

import fake_openstack as fake
import pytest

from fournines.cloud.errors import CloudRefused, RightsMissing
from fournines.model.ownership import Owner

OURS = Owner(platform="demo", service="shop")
AMPHORAE = f"{fake.OCTAVIA}/v2.0/octavia/amphorae"
FAILOVER = f"{fake.LBAAS}/loadbalancers/lb1/failover"


@pytest.fixture
def balancer(mock):
    """
    A load balancer of ours that is ACTIVE.
    """
    body = {
        "id": "lb1",
        "name": "demo-shop-lb",
        "provisioning_status": "ACTIVE",
        "operating_status": "ONLINE",
        "created_at": "2026-01-01T00:00:00",
        "tags": list(OURS.tags()),
        "description": "",
    }
    mock.get(f"{fake.LBAAS}/loadbalancers", json={"loadbalancers": [body]})
    mock.get(f"{fake.LBAAS}/loadbalancers/lb1", json={"loadbalancer": body})
    mock.put(FAILOVER, status_code=202)


@pytest.mark.usefixtures("balancer")
def test_what_octavia_has_stopped_is_not_forced(mock, cloud):
    """
    Octavia would take the order all the same; one amphora in FAILOVER_STOPPED is a refusal that says so, and no order is sent.
    """
    found = [
        {"id": "a1", "status": "ALLOCATED"},
        {"id": "a2", "status": "FAILOVER_STOPPED"},
    ]
    mock.get(AMPHORAE, json={"amphorae": found})

    with pytest.raises(CloudRefused, match="stopped failing over 1 of its 2 amphorae"):
        cloud.failover_load_balancer("demo-shop-lb", deadline_seconds=30)

    assert fake.sent(mock, "PUT", FAILOVER) == 0


@pytest.mark.usefixtures("balancer")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            {"json": {"amphorae": [{"id": "a1", "status": "ALLOCATED"}]}},
            id="allocated",
        ),
        pytest.param({"json": {"amphorae": []}}, id="a-provider-without-amphorae"),
        pytest.param({"status_code": 403}, id="who-may-not-read-them"),
        pytest.param({"status_code": 404}, id="an-octavia-without-that-api"),
    ],
)
def test_otherwise_it_is_asked_for_once(mock, cloud, answer):
    """
    Where nothing says that it was stopped, Octavia is asked for its failover, once.
    """
    mock.get(AMPHORAE, **answer)

    cloud.failover_load_balancer("demo-shop-lb", deadline_seconds=30)

    assert fake.sent(mock, "PUT", FAILOVER) == 1


@pytest.mark.usefixtures("balancer")
def test_without_the_right_to_it_that_is_said(mock, cloud):
    """
    By Octavia's default policies a project's user may neither read amphorae nor fail over: the refusal names the right.
    """
    mock.get(AMPHORAE, status_code=403)
    mock.put(FAILOVER, status_code=403)

    with pytest.raises(RightsMissing):
        cloud.failover_load_balancer("demo-shop-lb", deadline_seconds=30)
