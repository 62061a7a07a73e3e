"""
A real healer for benches, in a process of its own: real door, store, metrics and discovery, on a simulated cloud without latency.

Run by `python -m tests.bench.bench_healer JSON`. Every changing call of the cloud is written to `calls.jsonl` with the wall clock, and the
cloud's ids and addresses to `world.json` before the door opens: the rest of the stage is built from them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import uvicorn

from flows.healer import CONNECTIONS_MAX, Healer
from fournines import log
from fournines.clock import SystemClock
from fournines.cloud.simulated import Scenario, SimulatedCloud, Speeds
from fournines.metrics.prometheus import Prometheus
from fournines.model.desired import Platform, Service
from fournines.model.objective import Indicator, Objective
from fournines.model.ownership import Owner
from fournines.model.probing import Answer, ProbeResult, Scheme
from fournines.model.specification import ListenerSpec, NetworkSpec
from fournines.settings import Settings
from fournines.store.sql import open_store
from tasks import deployment
from tasks.probing import HttpProber
from tasks.workshop import Workshop
from tests.story.clinic import a_service

CHANGES = frozenset(
    {
        "set_weight",
        "ensure_instance",
        "delete_instance",
        "restart_instance",
        "join_pool",
        "leave_pool",
    }
)
PAGE_PORT, METRICS_PORT, MEMBER_PORT = 8080, 8088, 8080


class Trusting:
    """
    A prober for the deploy: the members' processes begin afterwards.
    """

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock

    def probe(
        self,
        address: str,
        port: int,
        path: str,
        *,
        timeout_ms: int,
        scheme: Scheme = "http",
    ) -> ProbeResult:
        """All is well."""
        return ProbeResult(
            at=self._clock.now(),
            path=path,
            answer=Answer.STATUS,
            seconds=0.0,
            status=200,
        )


class LoggedCloud:
    """
    A cloud whose changes are written down with the wall clock as they begin.
    """

    def __init__(self, cloud: SimulatedCloud, file: Path) -> None:
        self._cloud = cloud
        self._lines = file.open("a", buffering=1)
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._cloud, name)
        if name not in CHANGES:
            return method

        def told(*args: Any, **kwargs: Any) -> Any:
            line = json.dumps([time.time(), name, [str(a)[:200] for a in args]])
            with self._lock:
                self._lines.write(line + "\n")
            return method(*args, **kwargs)

        return told


def service(number: int, members: int) -> Service:
    """
    The stories' web service under another name, with objectives and a listener for metrics.
    """
    base = a_service(count=members, min_healthy=1)
    group = base.groups[0]
    probe = group.probe.model_copy(update={"metrics_path": "/metrics"})
    metrics = ListenerSpec(
        name="demo-shop-metrics", protocol="PROMETHEUS", port=METRICS_PORT
    )
    page = base.load_balancers[0].listeners[0].model_copy(update={"port": PAGE_PORT})
    balancer = base.load_balancers[0].model_copy(update={"listeners": (page, metrics)})
    whole = base.model_copy(
        update={
            "groups": (group.model_copy(update={"probe": probe}),),
            "load_balancers": (balancer,),
            "floating_ips": (),
            "objectives": (
                Objective(name="availability"),
                Objective(
                    name="latency",
                    indicator=Indicator.LATENCY,
                    target=0.99,
                    threshold_seconds=0.5,
                ),
            ),
        }
    )
    text = whole.model_dump_json().replace("shop", f"shop{number}")
    return Service.model_validate_json(text)


def world(cloud: SimulatedCloud, platform: Platform) -> list[dict[str, Any]]:
    """
    What HAProxy and members have to be: per service its addresses and ids.
    """
    seen = cloud.inventory(platform.name)
    addresses = {instance.name: instance.address for instance in seen.instances}
    found = []
    for one in platform.services:
        balancer = seen.load_balancer(one.load_balancers[0].name)
        pool = balancer.pools[0]
        listener = next(x for x in balancer.listeners if x.protocol == "HTTP")
        found.append(
            {
                "service": one.name,
                "address": balancer.vip_address,
                "pool": pool.id,
                "listener": listener.id,
                "members": [
                    {"id": m.id, "name": m.name, "address": addresses[m.name]}
                    for m in pool.members
                ],
            }
        )
    return found


def main() -> None:
    """
    Deploy, tell the world, serve.
    """
    asked = SimpleNamespace(**json.loads(sys.argv[1]))
    state = Path(asked.state)
    with (state / "healer.log").open("a") as stream:
        log.configure(stream=stream, as_json=True)
        _serve(asked, state)


def _serve(asked: SimpleNamespace, state: Path) -> None:
    clock = SystemClock()
    scenario = Scenario(
        speeds=Speeds.instant(), subnet_pool_cidr="127.20.0.0/16", hosts_per_zone=100
    )
    cloud = SimulatedCloud(scenario, clock)
    settings = Settings(state_dir=state, slot=asked.slot)
    workshop = Workshop(
        cloud=cloud,
        store=open_store(settings.store_url),
        clock=clock,
        prober=Trusting(clock),
        settings=settings,
    )
    platform = Platform(
        name="demo",
        network=NetworkSpec(name="demo-network", owner=Owner(platform="demo")),
        services=tuple(service(n, asked.members) for n in range(asked.services)),
    )
    result = deployment.deploy(workshop, platform)
    assert result.ok, result.sentence()
    logged = LoggedCloud(cloud, state / "calls.jsonl")
    workshop = Workshop(
        cloud=logged,  # type: ignore[arg-type]  a cloud by delegation
        store=workshop.store,
        clock=clock,
        prober=HttpProber(clock),
        settings=settings,
    )
    healer = Healer(workshop, Prometheus(settings.url("prometheus")))
    healer.view.refresh()
    healer.counts.expect(healer.view.platforms)
    (state / "world.tmp").write_text(json.dumps(world(cloud, platform)))
    (state / "world.tmp").rename(state / "world.json")
    if asked.loops:
        healer.start()
    uvicorn.run(
        healer.application(),
        host="127.0.0.1",
        port=settings.port("healer"),
        log_level="warning",
        access_log=False,
        limit_concurrency=CONNECTIONS_MAX,
    )


if __name__ == "__main__":
    main()
