"""
Octavia's request bodies for pools whose members are asked elsewhere, otherwise, or in one role only.
"""

from fournines.cloud.openstack import balancing
from fournines.model.specification import HealthMonitorSpec, MemberSpec, PoolSpec

POOL = PoolSpec(
    name="demo-db-pg-primary",
    protocol="TCP",
    health=HealthMonitorSpec(kind="HTTPS", method="OPTIONS", path="/primary", rise=1),
    role="primary",
)


def test_a_check_over_tls():
    """HTTPS monitors have a path and a method, as those over HTTP."""
    assert balancing.monitor(POOL) == {
        "name": "demo-db-pg-primary",
        "type": "HTTPS",
        "delay": 1,
        "timeout": 1,
        "max_retries": 1,
        "max_retries_down": 2,
        "http_method": "OPTIONS",
        "url_path": "/primary",
        "expected_codes": "200",
    }


def test_a_check_of_the_port_alone():
    """TCP monitors have neither."""
    body = balancing.monitor_settings(HealthMonitorSpec(kind="TCP"))

    assert not {"http_method", "url_path", "expected_codes"} & body.keys()


def test_a_member_is_asked_elsewhere():
    """The monitor's port goes along when it differs, and a batch update keeps it."""
    asked = MemberSpec(instance="a", port=6432, monitor_port=8008)
    body = balancing.member(asked, "10.0.0.1", None)

    assert body["monitor_port"] == 8008
    assert balancing.kept(body)["monitor_port"] == 8008
    assert "monitor_port" not in balancing.member(
        MemberSpec(instance="a", port=80), "10.0.0.1", None
    )


def test_a_role_is_written_down_and_read_again():
    """A pool's role stands in its description, where every process finds it."""
    body = balancing.pool(POOL)

    assert balancing.read_pool({**body, "id": "1"}, ()).role == "primary"
    assert "description" not in balancing.pool(POOL.model_copy(update={"role": None}))
    assert balancing.read_pool({"id": "1", "name": "x"}, ()).role is None
