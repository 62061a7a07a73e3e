"""
Runs the load balancer's pure code where Octavia is: by the sandbox's interpreter.

Questions as JSON on standard input ({name: [kind, subject]}), answers as JSON on standard
output ({name: answer}): a process start costs seconds, so all are put at once.
"""

import json
import sys
from pathlib import Path

from fournines_sandbox.loadbalancer import doorway, health, render, settlement
from fournines_sandbox.loadbalancer.exposition import translate
from octavia.cmd import prometheus_proxy
from octavia.common import data_models

PENDING = {"provisioning_status": "ACTIVE", "operating_status": "ONLINE"}


def tree(words):
    """
    Octavia's data model of a load balancer from its description in JSON.
    """
    pools = {item["id"]: pool(item) for item in words.get("pools", [])}
    balancer = data_models.LoadBalancer(
        **{
            **PENDING,
            "project_id": "project",
            "enabled": True,
            "topology": "SINGLE",
            **{k: v for k, v in words.items() if k not in ("pools", "listeners")},
        }
    )
    balancer.vip = data_models.Vip(ip_address="10.0.0.9")
    balancer.pools = list(pools.values())
    balancer.listeners = [
        listener(item, pools, balancer) for item in words.get("listeners", [])
    ]
    return balancer


def listener(words, pools, balancer):
    """
    One listener with its policies; it names its pools.
    """
    policies = [policy(item, pools) for item in words.get("l7policies", [])]
    used = [item.redirect_pool for item in policies if item.redirect_pool]
    default = pools.get(words.get("default_pool"))
    result = data_models.Listener(
        **{
            **PENDING,
            "enabled": True,
            "connection_limit": -1,
            **words,
            "l7policies": policies,
            "default_pool": default,
            "load_balancer": balancer,
            "allowed_cidrs": [
                data_models.ListenerCidr(listener_id=words["id"], cidr=cidr)
                for cidr in words.get("allowed_cidrs", [])
            ],
        }
    )
    result.pools = [item for item in (default, *used) if item]
    return result


def policy(words, pools):
    """
    One L7 policy with its rules.
    """
    rules = [
        data_models.L7Rule(**{**PENDING, "enabled": True, "invert": False, **item})
        for item in words.get("l7rules", [])
    ]
    named = {
        **words,
        "l7rules": rules,
        "redirect_pool": pools.get(words.get("redirect_pool")),
    }
    return data_models.L7Policy(**{**PENDING, "enabled": True, **named})


def pool(words):
    """
    One pool with its members and its monitor.
    """
    monitor = words.get("health_monitor")
    persistence = words.get("session_persistence")
    named = {
        **words,
        "members": [
            data_models.Member(
                **{**PENDING, "weight": 1, "backup": False, "enabled": True, **item}
            )
            for item in words.get("members", [])
        ],
        "health_monitor": monitor
        and data_models.HealthMonitor(**{**PENDING, "enabled": True, **monitor}),
        "session_persistence": persistence
        and data_models.SessionPersistence(**persistence),
    }
    defaults = {**PENDING, "enabled": True, "tls_enabled": False}
    return data_models.Pool(**{**defaults, **named})


def rendered(words):
    """
    The configuration of a tree.
    """
    return render.render(
        tree(words),
        directory=Path("/state"),
        socket=Path("/run/lb.sock"),
        version=("2", "6"),
        connections_max=6000,
    )


def door(words):
    """
    The packet filter of a tree.
    """
    return doorway.rules(tree(words))


def rested(words):
    """
    What a tree's statuses become after success and after failure.
    """
    return [settlement.settled(tree(words)), settlement.failed(tree(words))]


def judged(words):
    """
    What changes when HAProxy reports these rows, and again with the same rows.
    """
    view = health.View.of(tree(words["tree"]))
    keys = ("pxname", "svname", "status", "weight")
    rows = [dict(zip(keys, row, strict=True)) for row in words["rows"]]
    return [view.changes(rows), view.changes(rows)]


def renamed(line):
    """
    One line as an amphora's proxy renames it; empty when it leaves it out.
    """
    found = next((key for key in prometheus_proxy.METRIC_KEYS if key in line), None)
    if found is None:
        return ""
    name, explanation, labels = prometheus_proxy.METRIC_MAP[found][:3]
    if explanation and "HELP" in line:
        return explanation
    if not line.startswith("#"):
        for old, word in (labels or {}).items():
            line = line.replace(old, word)
    return line.replace(found, name)


def translated(text):
    """
    Our translation of an exposition, and what an amphora's proxy makes of it.
    """
    kept = (line for line in text.splitlines(keepends=True))
    amphora = (renamed(line) for line in kept if "prometheus-exporter" not in line)
    return [translate(text), "".join(amphora)]


ASK = {
    "render": rendered,
    "door": door,
    "rest": rested,
    "judge": judged,
    "translate": translated,
}

if __name__ == "__main__":
    questions = json.load(sys.stdin)
    answers = {name: ASK[kind](subject) for name, (kind, subject) in questions.items()}
    json.dump(answers, sys.stdout)
