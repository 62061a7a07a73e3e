"""
A deployed service on the simulated cloud under a virtual clock, with probes, measures and alerts derived from its one state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from pathlib import Path
from typing import Any

from blueprints import lifecycles
from flows import healer_senses
from flows.case_book import CaseBook
from flows.first_moves import FirstMoves
from flows.healer import WATCH_SECONDS
from flows.healer_inbox import Admissions
from flows.healer_sweep import Sweep
from flows.healer_view import View
from flows.senses import Senses
from flows.treatment import Treatment
from flows.ward import Ward
from fournines.cloud.simulated import Scenario, SimulatedCloud
from fournines.cloud.virtual_clock import VirtualClock
from fournines.metrics.protocol import MetricsError, Sample
from fournines.model.case import Case
from fournines.model.desired import (
    Group,
    HealingLimits,
    Membership,
    Platform,
    Probe,
    Service,
)
from fournines.model.ownership import Owner
from fournines.model.probing import Answer, ProbeResult, Scheme
from fournines.model.specification import (
    FloatingIpSpec,
    ListenerSpec,
    LoadBalancerSpec,
    NetworkSpec,
    PoolSpec,
    SecurityGroupSpec,
    ServerGroupSpec,
)
from fournines.settings import Settings
from fournines.store.protocol import AlertRecord, Store
from fournines.store.sql import open_store
from fournines.trust.keyring import KeyFile
from tasks import deployment
from tasks.operators.simulated import SimulatedOperator
from tasks.workshop import Workshop

BALANCER, POOL = "demo-shop-lb", "demo-shop-web"


class Eyes:
    """
    A prober over the simulated cloud.
    """

    def __init__(self, cloud: SimulatedCloud, clock: VirtualClock) -> None:
        self.cloud = cloud
        self.clock = clock
        self.closed = False
        self.hidden: set[str] = set()

    def probe(
        self,
        address: str,
        port: int,
        path: str,
        *,
        timeout_ms: int,
        scheme: Scheme = "http",
    ) -> ProbeResult:
        """
        What the instance at that address answers.
        """
        at = self.clock.now()
        names = [
            i.name for i in self.cloud.world.instances.values() if i.address == address
        ]
        if self.closed or address in self.hidden:
            return ProbeResult(at=at, path=path, answer=Answer.UNREACHABLE, seconds=0.0)
        if names:
            said = self.cloud.probe(
                names[0],
                health_path=path == "/healthz",
                timeout_seconds=timeout_ms / 1000,
            )
        else:
            said = self.cloud.knock(address, timeout_seconds=timeout_ms / 1000)
        answer = {"refused": Answer.REFUSED, "timeout": Answer.SILENT}.get(
            said.error or "", Answer.STATUS
        )
        return ProbeResult(
            at=at, path=path, answer=answer, seconds=said.seconds, status=said.code
        )


class Gauges:
    """
    Measures over the simulated cloud: error ratios of members; everything else is absent.
    """

    def __init__(self, cloud: SimulatedCloud, clock: VirtualClock) -> None:
        self.cloud = cloud
        self.clock = clock
        self.down = False

    def instant(self, query: str) -> tuple[Sample, ...]:
        """
        The value of one of healing's own queries.
        """
        if self.down:
            raise MetricsError("Prometheus does not answer")
        ratio = re.match(r'sum\(rate\(.*member_id="([^"]+)",code="5xx"', query)
        if ratio is None or "/" not in query:
            return ()
        return tuple(
            Sample({}, traffic.error_ratio, self.clock.now())
            for traffic in self.cloud.traffic(BALANCER, POOL).members
            if self._member_id(traffic.instance) == ratio[1] and traffic.share
        )

    def _member_id(self, instance: str) -> str:
        member = self.cloud.pool(BALANCER, POOL).member(instance)
        return member.id if member else ""

    def over(
        self, query: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Sample, ...]:
        """
        Nothing: no story needs it.
        """
        return ()

    def ready(self) -> bool:
        """
        Whether it answers.
        """
        return not self.down


class AtOnce(Executor):
    """
    Runs what is submitted before it returns: a story has one thread where the healer has many.
    """

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """
        Run it now.
        """
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def a_service(
    *, count: int = 4, min_healthy: int = 2, limits: dict[str, Any] | None = None
) -> Service:
    """
    The web service of the stories, as a blueprint would compile it.
    """
    owner = Owner(platform="demo", service="shop")
    of_group = owner.model_copy(update={"group": "web"})
    group = Group(
        name="web",
        count=count,
        image="debian-12",
        flavor="m1.tiny",
        network="demo-network",
        zones=("az1", "az2", "az3"),
        security_group=SecurityGroupSpec(name="demo-shop-web", owner=of_group),
        server_group=ServerGroupSpec(name="demo-shop-web", owner=of_group),
        user_data="#cloud-config\n",
        memberships=(Membership(load_balancer=BALANCER, pool=POOL, port=8080),),
        probe=Probe(port=8080),
        healing=HealingLimits(min_healthy=min_healthy, **(limits or {})),
    )
    balancer = LoadBalancerSpec(
        name=BALANCER,
        owner=owner,
        network="demo-network",
        listeners=(
            ListenerSpec(name="demo-shop-http", protocol="HTTP", port=80, pool=POOL),
        ),
        pools=(PoolSpec(name=POOL),),
    )
    return Service(
        platform="demo",
        name="shop",
        blueprint="web",
        blueprint_version="1.0.0",
        groups=(group,),
        load_balancers=(balancer,),
        floating_ips=(
            FloatingIpSpec(name="demo-shop-ip", owner=owner, load_balancer=BALANCER),
        ),
    )


class Clinic:
    """
    Everything a healing story needs. Time passes only where something waits.
    """

    def __init__(
        self,
        directory: Path,
        *,
        service: Service | None = None,
        scenario: Scenario | None = None,
        hands: int = 16,
    ) -> None:
        self.clock = VirtualClock()
        self.cloud = SimulatedCloud(scenario or Scenario(), self.clock)
        self.store: Store = open_store(
            "sqlite://", self.clock, keys=KeyFile(directory / "store-key")
        )
        self.operator = SimulatedOperator(self.cloud, self.clock)
        self.eyes = Eyes(self.cloud, self.clock)
        self.gauges = Gauges(self.cloud, self.clock)
        self.workshop = Workshop(
            cloud=self.cloud,
            store=self.store,
            clock=self.clock,
            prober=self.eyes,
            settings=Settings(state_dir=directory, slot=0, parallel_steps_max=hands),
            operators={lifecycles.QUORUM: lambda _workshop: self.operator},
        )
        self.platform = Platform(
            name="demo",
            network=NetworkSpec(name="demo-network", owner=Owner(platform="demo")),
            services=(service or a_service(),),
        )
        result = deployment.deploy(self.workshop, self.platform)
        assert result.ok, result.sentence()
        self.clock.advance(30)
        self.cloud.calls.clear()
        self.wake()

    def wake(self) -> None:
        """
        A healer starts: everything it remembers is in the store.
        """
        self.view = View(self.workshop)
        self.view.refresh()
        self.moves = FirstMoves(self.workshop, self.view, AtOnce())
        sweep = Sweep(self.workshop, self.view)
        self.admissions = Admissions(
            self.workshop, self.view, lambda _p, _s: (), sweep.is_well, sweep.sick
        )
        self.senses = Senses(self.workshop, healer_senses.of_cloud(self.workshop))
        self.senses.look_at_all()
        self.cloud.calls.clear()
        self.ward = Ward.over(
            self.workshop,
            self.gauges,
            self.view.inventory,
            self.moves.of,
            self.view.has_served,
            self.senses.away,
        )

    def alert(
        self, instance: str, name: str = "ProbeFail", **labels: str
    ) -> AlertRecord:
        """
        Alertmanager tells of a member; the healer's door commits it and makes its first move.
        """
        if self.view.age_seconds("demo") > WATCH_SECONDS:
            self.view.refresh()
        now = self.clock.now()
        slot = instance.rpartition("-g")[0].rpartition("-")[2]
        record = AlertRecord(
            key=f"{name}-{instance}@{now.isoformat()}",
            fingerprint=f"{abs(hash((name, instance))):016x}",
            name=name,
            status="firing",
            labels={
                "platform": "demo",
                "service": "shop",
                "group": "web",
                "slot": slot,
                "instance_name": instance,
                "severity": "heal",
                "tier": "cause",
                **labels,
            },
            starts_at=now,
            received_at=now,
        )
        for new in self.store.inbox.put([record]):
            self.moves.consider(new)
        return record

    def heal(self, opened: Sequence[Case] | None = None) -> tuple[Case, ...]:
        """
        Sort the inbox and treat what it opened, one after the other.
        """
        cases = self.admissions.sort() if opened is None else opened
        return tuple(self.treat(case) for case in cases)

    def treat(self, case: Case) -> Case:
        """
        One treatment, to its end.
        """
        book = CaseBook(self.workshop, case)
        return Treatment(self.ward, book).run()

    def members(self) -> dict[str, int]:
        """
        Who is in the pool, with which weight.
        """
        return {m.name: m.weight for m in self.cloud.pool(BALANCER, POOL).members}

    def settle(self, seconds: float = 10) -> None:
        """
        Let time pass.
        """
        self.clock.advance(seconds)

    def plan_is_empty(self) -> bool:
        """
        Whether what is, is what should be.
        """
        return deployment.plan(self.workshop, self.platform)[0].empty

    def changes(self) -> list[str]:
        """
        Calls that changed the cloud, without the harmless weights.
        """
        reading = {"inventory", "quota", "pool", "console", "set_weight"}
        return [call.name for call in self.cloud.calls if call.name not in reading]
