"""
What the load balancers' pure code says, asked of the interpreter that has Octavia.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fournines.local import cloud_command

pytestmark = pytest.mark.sandbox

HERE = Path(__file__).parent / "loadbalancer"
TREES = json.loads((HERE / "trees.json").read_text())

HEALTH = {
    "weight-0-drains": (
        {"member-a": "UP", "member-b": "UP"},
        "UP",
        {"member-b": "DRAINING"},
    ),
    "one-dead-member-degrades-pool-and-load-balancer": (
        {"member-a": "UP", "member-b": "DOWN"},
        "UP",
        {"member-b": "ERROR", "pool-web": "DEGRADED", "lb-web": "DEGRADED"},
    ),
    "no-member-left-is-an-error": (
        {"member-a": "DOWN 1/2", "member-b": "DOWN"},
        "DOWN",
        {
            "member-a": "ERROR",
            "member-b": "ERROR",
            "pool-web": "ERROR",
            "lb-web": "ERROR",
        },
    ),
    "disabled-is-offline-and-unchecked-is-no-monitor": (
        {"member-a": "MAINT", "member-b": "no check"},
        "UP",
        {"member-a": "OFFLINE", "member-b": "NO_MONITOR"},
    ),
}
"""Members' states, the pool's, and what Octavia is to hear."""


def pending(**statuses: str) -> dict[str, Any]:
    """
    The web tree with some of its objects pending.
    """
    tree: dict[str, Any] = json.loads(json.dumps(TREES["web"]))
    listener, pool = tree["listeners"][0], tree["pools"][0]
    pool["members"] = pool["members"][:2]
    objects = {
        "balancer": tree,
        "listener": listener,
        "pool": pool,
        "monitor": pool["health_monitor"],
        "member": pool["members"][0],
    }
    for name, status in statuses.items():
        objects[name]["provisioning_status"] = status
    return tree


def reported(states: dict[str, str], backend: str) -> list[list[str]]:
    """
    HAProxy's rows about the web tree.
    """
    proxy = "pool-web:listener-http"
    weights = {"member-a": "10", "member-b": "0"}
    rows = [["listener-http", "FRONTEND", "OPEN", ""]]
    rows += [["listener-metrics", "FRONTEND", "OPEN", ""]]
    rows += [[proxy, name, state, weights[name]] for name, state in states.items()]
    return [*rows, [proxy, "BACKEND", backend, ""]]


def questions() -> dict[str, tuple[str, Any]]:
    """
    All that is asked in this module.
    """
    changed = pending(
        balancer="PENDING_UPDATE", pool="PENDING_UPDATE", member="PENDING_CREATE"
    )
    deleted = pending(balancer="PENDING_UPDATE", monitor="PENDING_DELETE")
    found: dict[str, tuple[str, Any]] = {
        "door": ("door", TREES["tcp"]),
        "member": ("rest", changed),
        "monitor": ("rest", deleted),
        "born": ("rest", pending(balancer="PENDING_CREATE")),
        "gone": ("rest", pending(balancer="PENDING_DELETE")),
        "exposition": ("translate", (HERE / "haproxy-metrics.txt").read_text()),
    }
    for name, tree in TREES.items():
        found[f"render {name}"] = ("render", tree)
    for name, (states, backend, _) in HEALTH.items():
        rows = reported(states, backend)
        found[f"health {name}"] = ("judge", {"tree": pending(), "rows": rows})
    return found


def put(asked: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """
    Put questions to the code inside.
    """
    named = os.environ.get("FOURNINES_SANDBOX_PYTHON")
    python = Path(named) if named else cloud_command.interpreter()
    if not python.exists():
        pytest.skip(f"OpenStack is not installed at {python}; run: make setup")
    done = subprocess.run(
        [str(python), "-W", "ignore", str(HERE / "inside.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """
    The answers to all questions, from one process.
    """
    return put(questions())


def test_configurations(answers):
    """
    HAProxy is told what an amphora's would be told, whatever the order of the tree.
    """
    for name in TREES:
        text = answers[f"render {name}"]
        golden = HERE / f"{name}.cfg"
        if os.environ.get("FOURNINES_GOLDEN") == "write":
            golden.write_text(text)
        assert golden.read_text() == text, name


def test_configurations_are_stable(answers):
    """
    Equal trees make equal texts in every process, so that nothing reloads in vain.
    """
    again = put({"web": ("render", TREES["web"])})

    assert answers["render web"] == again["web"]


def test_haproxy_takes_the_configurations(tmp_path):
    """
    HAProxy itself finds no fault with the golden files.
    """
    for name in ("web", "tcp", "l7"):
        text = (HERE / f"{name}.cfg").read_text()
        path = tmp_path / f"{name}.cfg"
        path.write_text(text.replace("/run/lb.sock", f"{tmp_path}/lb.sock"))
        done = subprocess.run(
            ["/usr/sbin/haproxy", "-c", "-f", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr


def test_door(answers):
    """
    Only listeners' ports are open, to their allowed CIDRs, and one that goes is shut.
    """
    rules = answers["door"]
    accepted = [line.strip() for line in rules.splitlines() if "dport" in line]

    assert accepted == [
        "ip saddr { 192.0.2.0/24 } tcp dport 5432 accept",
        "ip6 saddr { 2001:db8::/32 } tcp dport 5432 accept",
        "tcp dport 5433 accept",
    ]
    assert "tcp flags & (fin|syn|rst|ack) == syn drop" in rules


def brief(statuses: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """
    New provisioning statuses by id.
    """
    return {
        item["id"]: item["provisioning_status"]
        for items in statuses.values()
        for item in items
    }


def test_rest(answers):
    """
    Whatever is pending comes to rest; a failure is blamed on what is new.
    """
    well, ill = map(brief, answers["member"])
    assert well == {"member-b": "ACTIVE", "pool-web": "ACTIVE", "lb-web": "ACTIVE"}
    assert ill == {"member-b": "ERROR", "pool-web": "ACTIVE", "lb-web": "ACTIVE"}

    well, ill = map(brief, answers["monitor"])
    assert well == {"monitor": "DELETED", "lb-web": "ACTIVE"}
    assert ill == {"monitor": "ERROR", "lb-web": "ACTIVE"}

    well, ill = map(brief, answers["born"])
    assert well == {"lb-web": "ACTIVE"}
    assert ill == {"lb-web": "ERROR"}

    gone = brief(answers["gone"][0])
    assert set(gone.values()) == {"DELETED"}
    assert len(gone) == 7


@pytest.mark.parametrize("name", HEALTH)
def test_health(answers, name):
    """
    Octavia hears of a change once, in the words an amphora's heartbeat would lead to.
    """
    first, again = answers[f"health {name}"]

    changed = {
        item["id"]: item["operating_status"]
        for items in first.values()
        for item in items
    }
    assert changed == HEALTH[name][2]
    assert again == {}


def test_exposition(answers):
    """
    Metrics are named exactly as an amphora's own proxy names them.
    """
    ours, amphora = answers["exposition"]

    assert ours == amphora
    assert 'octavia_member_http_responses_total{pool="' in ours
    assert "prometheus-exporter" not in ours
