"""
Goal 1: from a fault to its alert in our inbox, through real HAProxy, Prometheus, Alertmanager and our door.
"""

import random
import signal
import sys
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fournines.store.sql import open_store
from tests.bench.bench_stage import Stage
from tests.bench.figures import percentile, scale

KINDS = ("kill", "hang", "errors", "grey-errors", "grey-slow")
EACH = 20
SERVICES = 3
RATE = 100.0
LOST_SECONDS = 20.0
CALM_SECONDS = 13.0
"""The error window of ten seconds, a check, and a scrape."""

TRAFFIC_SECONDS = 1_800

pytestmark = pytest.mark.bench


def break_it(stage, one, kind):
    """
    The fault; returns when it began.
    """
    child = stage.children[one["name"]]
    if kind == "kill":
        child.kill()
    elif kind == "hang":
        child.send_signal(signal.SIGSTOP)
    else:
        stage.behave(one, kind)
    return time.time()


def mend(stage, one, kind):
    """
    As it was.
    """
    child = stage.children[one["name"]]
    if kind == "kill":
        child.wait()
        stage.begin_member(one)
    elif kind == "hang":
        child.send_signal(signal.SIGCONT)
    else:
        stage.behave(one, "ok")


def heard(store, service, instance, since):
    """
    When the first alert about an instance came in after a moment; and which others came.
    """
    begin = datetime.fromtimestamp(since, UTC)
    records = [
        record
        for record in store.inbox.firing("demo", service)
        if record.received_at >= begin and record.labels.get("severity") == "heal"
    ]
    mine = [r for r in records if r.labels.get("instance_name") == instance]
    others = {
        r.labels["instance_name"]
        for r in records
        if r.labels.get("instance_name") not in {None, instance}
    }
    first = min((r.received_at for r in mine), default=None)
    return first.timestamp() if first else None, others


def faults_of(stage, number, plan, seed):
    """
    One service's faults, one after the other, each at a random phase of the scrapes.
    """
    dice = random.Random(seed)
    store = open_store(stage.settings.store_url)
    service, found = stage.world[number], []
    for kind in plan:
        one = dice.choice(service["members"])
        time.sleep(dice.random() * 2)
        began = break_it(stage, one, kind)
        at, others = None, set()
        while at is None and time.time() - began < LOST_SECONDS:
            time.sleep(0.05)
            at, others = heard(store, service["service"], one["name"], began)
        found.append((kind, at - began if at else None, others))
        try:
            mend(stage, one, kind)
        except (OSError, urllib.error.URLError) as error:
            raise RuntimeError(f"{one['name']} cannot be mended: {error}") from error
        time.sleep(CALM_SECONDS)
    store.close()
    return found


def test_detection(figures, tmp_path):
    """
    Kill, hang, 500s, grey 500s, grey slow, each at a random phase: all are heard, and no other member is named.
    """
    each = max(1, round(EACH * scale()))
    dice = random.Random(1)
    plan = [kind for kind in KINDS for _ in range(each)]
    dice.shuffle(plan)
    services = min(SERVICES, len(plan))
    with Stage(tmp_path, services=services) as stage:
        urls = [f"http://{s['address']}:8080/" for s in stage.world]
        program = str(Path(__file__).with_name("bench_traffic.py"))
        stage.start(
            "traffic",
            [sys.executable, program, str(RATE), str(TRAFFIC_SECONDS), *urls],
        )
        time.sleep(15)
        with ThreadPoolExecutor(services) as threads:
            futures = [
                threads.submit(faults_of, stage, n, plan[n::services], n)
                for n in range(services)
            ]
            found = [one for future in futures for one in future.result()]

    seconds = [took for _, took, _ in found if took is not None]
    for kind in KINDS:
        mine = [took for one, took, _ in found if one == kind and took is not None]
        figures.note(
            1,
            f"detection of {kind}, p50",
            percentile(mine, 50),
            "s",
            goal="",
            others="",
        )
    figures.note(
        1,
        f"detection, p50 of {len(found)}",
        percentile(seconds, 50),
        "s",
        goal="<= 1.5",
        others="Nomad 20-30, Kubernetes 50, ALB and BOSH 60-120, Octavia 12-25",
    )
    figures.note(1, "detection, p99", percentile(seconds, 99), "s", goal="<= 3")
    figures.note(
        1,
        "faults heard",
        100 * len(seconds) / len(found),
        "%",
        goal="100",
        others="grey faults: never",
    )
    wrong = set().union(*(others for _, _, others in found))
    figures.note(1, "members named wrongly", len(wrong), "", goal="0")

    assert len(seconds) == len(found)
    assert wrong == set()
