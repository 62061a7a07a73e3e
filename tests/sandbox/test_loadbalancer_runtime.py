"""
Which changes of a configuration HAProxy can be told without a reload.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "loadbalancer"
WEB = (HERE / "web.cfg").read_text()
MEMBER_A = "server member-a 10.0.0.11:8080 weight 10 "


@pytest.fixture(scope="module")
def commands():
    """
    The function under test; its module needs nothing but the standard library.
    """
    sys.path.insert(0, str(ROOT / "deployments" / "sandbox"))
    try:
        from fournines_sandbox.loadbalancer import runtime
    finally:
        sys.path.pop(0)
    return runtime.commands


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("", "", [], id="nothing-changed"),
        pytest.param(
            MEMBER_A,
            MEMBER_A.replace("weight 10", "weight 0"),
            ["set server pool-web:listener-http/member-a weight 0"],
            id="a-weight",
        ),
        pytest.param(
            "rise 2 disabled",
            "rise 2",
            ["set server pool-web:listener-http/member-c state ready"],
            id="a-member-enabled",
        ),
        pytest.param(
            "server member-b 10.0.0.12:8080 weight 0 check inter 1s fall 2 rise 2",
            "server member-b 10.0.0.12:8080 weight 1 check inter 1s fall 2 rise 2 disabled",
            [
                "set server pool-web:listener-http/member-b weight 1",
                "set server pool-web:listener-http/member-b state maint",
            ],
            id="both-at-once",
        ),
        pytest.param(
            "10.0.0.11:8080", "10.0.0.99:8080", None, id="an-address-needs-a-reload"
        ),
        pytest.param("fall 2", "fall 3", None, id="a-check-needs-a-reload"),
        pytest.param(
            "balance roundrobin", "balance leastconn", None, id="a-pool-needs-a-reload"
        ),
        pytest.param(
            "    " + MEMBER_A + "check inter 1s fall 2 rise 2\n",
            "",
            None,
            id="a-member-gone-needs-a-reload",
        ),
    ],
)
def test_commands(commands, old, new, expected):
    """
    Weights and admin states are told, everything else is a reload.
    """
    assert old in WEB

    assert commands(WEB, WEB.replace(old, new)) == expected
