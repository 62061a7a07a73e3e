"""
Goal 8: the whole loop over 1,000 members that do nothing: what Prometheus, Alertmanager and the healer cost.

The members' pages are served by few processes on many addresses, and load balancers' metrics are not part of it: what is measured is ours. CPU
is what /proc counts for each process; the others (members, blackbox) are listed beside it.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import httpx
import pytest

from alerts.cadence import Cadence
from tests.bench.bench_stage import Stage
from tests.bench.figures import scale

MEMBERS = 1_000
SERVICES = 50
SETTLE_SECONDS = 30
MEASURE_SECONDS = 60
PROBE_SECONDS = 10
"""A thousand probes a second cost 1.7 cores of blackbox exporter alone (measured): many members are probed less often."""

OURS = ("prometheus", "alertmanager", "healer")

pytestmark = pytest.mark.bench


def cpu_seconds(pid):
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    """Resident memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [one for one in lines if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1_024


def test_idle(figures, tmp_path):
    """
    Cores and memory over a minute, after everything was found.
    """
    members = max(20, round(MEMBERS * scale()))
    services = max(1, round(SERVICES * scale()))
    settle = SETTLE_SECONDS * max(0.5, scale())
    with Stage(
        tmp_path,
        services=services,
        members=members // services,
        loops=True,
        real_members=False,
        cadence=Cadence(probe_seconds=PROBE_SECONDS),
    ) as stage:
        addresses = [m["address"] for s in stage.world for m in s["members"]]
        program = str(Path(__file__).with_name("bench_members.py"))
        stage.start("members", [sys.executable, program, "8080", *addresses])
        time.sleep(settle)
        names = (*OURS, "blackbox", "members")
        pids = {name: stage.children[name].pid for name in names}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        time.sleep(MEASURE_SECONDS * max(0.25, scale()))
        took = MEASURE_SECONDS * max(0.25, scale())
        cores = {n: (cpu_seconds(pid) - before[n]) / took for n, pid in pids.items()}
        memory = {name: rss_mb(pid) for name, pid in pids.items()}
        up = asyncio.run(_up(stage.settings.url("prometheus")))
    for name in names:
        figures.note(8, f"{len(addresses)} members idle: {name}", cores[name], "cores")
        figures.note(
            8, f"{len(addresses)} members idle: {name} RSS", memory[name], "MB"
        )
    figures.note(
        8,
        f"{len(addresses)} members idle: ours together",
        sum(cores[name] for name in OURS),
        "cores",
        goal="<= 0.5",
        others="Nomad slows to 210-410 s at 10,000",
    )
    figures.note(
        8,
        f"{len(addresses)} members idle: ours together RSS",
        sum(memory[name] for name in OURS),
        "MB",
        goal="<= 700",
    )
    figures.note(8, "members that Prometheus sees up", up, "", goal=str(len(addresses)))

    assert up == len(addresses)


async def _up(prometheus):
    query = 'sum(up{job="members"})'
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{prometheus}/api/v1/query", params={"query": query})
    found = answer.json()["data"]["result"]
    return int(float(found[0]["value"][1])) if found else 0
