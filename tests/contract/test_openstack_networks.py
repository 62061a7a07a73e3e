"""
Networks that were begun and not finished are brought to their end.
"""

from __future__ import annotations

import fake_openstack as fake
import pytest

from fournines.cloud.openstack.networks import is_finished
from fournines.model.ownership import Owner
from fournines.model.specification import NetworkSpec

OURS = Owner(platform="demo")


@pytest.mark.parametrize(
    ("router", "finished"),
    [
        pytest.param(
            {"tags": list(OURS.tags()), "external_gateway_info": {"network_id": "x"}},
            True,
            id="made-to-its-end",
        ),
        pytest.param(
            {"tags": [], "external_gateway_info": {"network_id": "x"}},
            False,
            id="whoever-made-it-died-before-it-was-joined",
        ),
        pytest.param(
            {"tags": list(OURS.tags()), "external_gateway_info": None},
            False,
            id="somebody-took-its-way-out",
        ),
        pytest.param(
            {"external_gateway_info": {"network_id": "x"}}, True, id="no-tags-here"
        ),
    ],
)
def test_a_router_is_finished_when_it_leads_out_and_bears_its_last_mark(
    router, finished
):
    """
    A half-made router is made to its end by the next plan; otherwise floating IPs would fail for ever.
    """
    assert is_finished(router) is finished


def test_a_router_without_a_way_out_gets_one(mock, cloud):
    """
    A network is brought to its end, whatever of it is there already: the router's gateway is set, no second router is made.
    """
    mark = {"name": "demo-network", "tags": list(OURS.tags())}
    router = {"id": "r1", "external_gateway_info": None, **mark}
    mock.get(
        f"{fake.NET}/networks",
        [
            {"json": {"networks": [{"id": "n1", **mark}]}},
            {"json": {"networks": [{"id": "x1", "name": "public"}]}},
        ],
    )
    subnet = {"id": "s1", "network_id": "n1", "cidr": "10.20.0.0/24", **mark}
    mock.get(f"{fake.NET}/subnets", json={"subnets": [subnet]})
    mock.get(f"{fake.NET}/routers", json={"routers": [router]})
    mock.get(f"{fake.NET}/ports", json={"ports": [{"id": "p1"}]})
    put = f"{fake.NET}/routers/r1"
    outside = {"network_id": "x1"}
    mock.put(put, json={"router": {**router, "external_gateway_info": outside}})

    made = cloud.ensure_network(
        NetworkSpec(name="demo-network", owner=OURS), deadline_seconds=30
    )

    assert made.router_id == "r1"
    (sent,) = [one.json() for one in mock.request_history if one.method == "PUT"]
    assert sent == {"router": {"external_gateway_info": outside}}
