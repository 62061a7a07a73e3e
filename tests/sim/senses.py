"""
What a simulated healer sees of the world: its own probes and Prometheus' measures, both from the cloud's one state.
"""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime

from fournines.clock import Clock
from fournines.cloud.simulated import SimulatedCloud
from fournines.metrics.protocol import MetricsError, Sample
from fournines.model.probing import Answer, ProbeResult, Scheme
from healing.diagnosis.grey_errors import ERROR_RATIO_MIN
from tests.sim.turns import TurnClock, Turns

ANSWERS = {"refused": Answer.REFUSED, "timeout": Answer.SILENT}
"""The simulated cloud's words, and a prober's."""


class Eyes:
    """
    `Prober` of one healer.

    Attributes:
        closed_until: Nobody answers before: our own network is cut.
        bad: When which instance answered badly, newest last; the laws ask for it.
    """

    def __init__(self, cloud: SimulatedCloud, turns: Turns, clock: Clock) -> None:
        self._cloud = cloud
        self._turns = turns
        self._clock = clock
        self._names: dict[str, str] = {}
        self.closed_until = 0.0
        self.bad: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=8))

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
        at = self._clock.now()
        name = self._names.get(address)
        record = self._cloud.world.instances.get(name or "")
        if record is None or record.address != address:
            name = self._find(address)
        if self._turns.now < self.closed_until:
            self._turns.sleep(timeout_ms / 1000)
            return ProbeResult(at=at, path=path, answer=Answer.UNREACHABLE, seconds=0.0)
        seconds = timeout_ms / 1000
        if name:
            said = self._cloud.probe(
                name, health_path=path == "/healthz", timeout_seconds=seconds
            )
        else:
            said = self._cloud.knock(address, timeout_seconds=seconds)
        if name and (not said.good or said.seconds > 0.25):
            self.bad[name].append(self._turns.now)
        if said.seconds > 0.1:
            self._turns.sleep(said.seconds)
        return ProbeResult(
            at=at,
            path=path,
            answer=ANSWERS.get(said.error, Answer.STATUS),
            seconds=said.seconds,
            status=said.code,
        )

    def _find(self, address: str) -> str | None:
        self._names = {
            record.address: record.name
            for record in self._cloud.world.instances.values()
            if record.address
        }
        return self._names.get(address)


class Gauges:
    """
    `Metrics` of every healer: error ratios of members; everything else is absent.

    Attributes:
        errors_at: When a healer was last told that an instance gives its users errors; the laws ask for it.
    """

    def __init__(self, cloud: SimulatedCloud, turns: Turns, clock: TurnClock) -> None:
        self._cloud = cloud
        self._turns = turns
        self._clock = clock
        self.down_until = 0.0
        self.errors_at: dict[str, float] = {}

    def instant(self, query: str) -> tuple[Sample, ...]:
        """
        The value of one of healing's own queries.
        """
        if self._turns.now < self.down_until:
            raise MetricsError("Prometheus does not answer")
        if '5xx"' not in query or "/" not in query or 'member_id="' not in query:
            return ()
        wanted = query.split('member_id="', 1)[1].split('"', 1)[0]
        for balancer in self._cloud.world.load_balancers.values():
            for pool in balancer.pools.values():
                for member in pool.members.values():
                    if member.id == wanted:
                        return self._ratio(
                            balancer.name, pool.spec.name, member.instance
                        )
        return ()

    def _ratio(self, balancer: str, pool: str, instance: str) -> tuple[Sample, ...]:
        for traffic in self._cloud.traffic(balancer, pool).members:
            if traffic.instance == instance and traffic.share:
                if traffic.error_ratio > ERROR_RATIO_MIN:
                    self.errors_at[instance] = self._turns.now
                return (Sample({}, traffic.error_ratio, self._clock.now()),)
        return ()

    def over(
        self, query: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Sample, ...]:
        """
        Nothing: no decision needs it.
        """
        return ()

    def ready(self) -> bool:
        """
        Whether it answers.
        """
        return self._turns.now >= self.down_until
