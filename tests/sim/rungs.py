"""
What calls for another rung than a new member: a zone that is down, load, a bad release, a dead load balancer; healed while a healer dies.
"""

from __future__ import annotations

import dataclasses

from fournines.cloud.simulated import Behaviour, Scenario
from fournines.metrics.protocol import MetricsError, Sample
from fournines.model.desired import Platform
from fournines.model.names import slot
from fournines.planning.plan import Purpose
from healing.rungs import Rung
from tasks import deployment
from tests.sim.ordeals import Healings
from tests.sim.senses import Gauges
from tests.sim.town import PLATFORM
from tests.sim.turns import TurnClock

BALANCER, POOL, SERVICE = "demo-shop-lb", "demo-shop-web", "shop"
COUNT = 4
GROWN = 6
"""Half as many again."""

CAPACITY = 40
"""Requests a second that one member serves quickly."""

RUNGS: dict[str, Rung] = {
    "zone": Rung.SHIFT,
    "load": Rung.SCALE_OUT,
    "release": Rung.ROLL_BACK,
    "front": Rung.FAIL_OVER,
}
"""What is wrong -> what helps."""

BAD = "#cloud-config\n# the new one\n"


class LoadGauges(Gauges):
    """
    Measures that know, besides, how much users ask, usually ask, and how much of it arrives.
    """

    usual = 100.0
    arriving = 100.0

    def instant(self, query: str) -> tuple[Sample, ...]:
        """
        The value of a query about load, or of any other.
        """
        if self._turns.now < self.down_until:
            raise MetricsError("Prometheus does not answer")
        known = {
            "sum(fournines:edge_total:rate10s": self._cloud.pressure(BALANCER, POOL),
            "sum(avg_over_time(fournines:edge_total:rate1m": self.usual,
            "sum(rate(http_request_duration_seconds_count": self.arriving,
        }
        for begin, value in known.items():
            if query.startswith(begin):
                return (Sample({}, value, self._clock.now()),)
        return super().instant(query)


class Remedies(Healings):
    """
    One shop of four members, which may grow, and be changed as a whole without asking a person.
    """

    gauges: LoadGauges

    def a_scenario(self) -> Scenario:
        """
        Members that can have too much to do.
        """
        return dataclasses.replace(
            super().a_scenario(), capacity_per_instance=CAPACITY, hosts_per_zone=2
        )

    def a_platform(self) -> Platform:
        """
        The shop.
        """
        made = super().a_platform()
        (service,) = (s for s in made.services if s.name == SERVICE)
        (group,) = service.groups
        limits = group.healing.model_copy(
            update={"min_healthy": 1, "count_max": 8, "approval_share": 1.0}
        )
        group = group.model_copy(update={"count": COUNT, "healing": limits})
        service = service.model_copy(update={"groups": (group,)})
        return made.model_copy(update={"services": (service,), "disruptions_max": 2})

    def measures(self, clock: TurnClock) -> Gauges:
        """
        With load.
        """
        return LoadGauges(self.cloud, self.turns, clock)

    def _settle(self) -> None:
        # The group may grow: its further slots are asked for by nobody else.
        self.laws.know({slot(PLATFORM, SERVICE, "web", n) for n in range(COUNT, GROWN)})
        super()._settle()

    def _break(self, kind: str, number: int) -> None:
        del number
        victim = f"demo-shop-web-1-g{2 if kind == 'release' else 1}"
        if kind == "zone":
            here = [i for i in self.cloud.world.instances.values() if i.owner]
            zones = [i.zone or "" for i in here]
            # Two of four members fall together: the pattern is the zone's.
            self.cloud.break_zone(max(sorted(set(zones)), key=zones.count))
        elif kind == "load":
            self.cloud.press(BALANCER, POOL, 2 * self.gauges.usual)
        elif kind == "release":
            self._do(self._release, 600)
            for n in range(COUNT):
                name = f"demo-shop-web-{n}-g2"
                self.cloud.break_instance(name, Behaviour.GREY_ERRORS)
                self.laws.sick_at[name] = self.turns.now
        else:
            self.gauges.arriving = 2.0  # our own probes
            self.cloud.silence_load_balancer(BALANCER)
            self.laws.dead_at[BALANCER] = self.turns.now
        self.kind = kind
        self.laws.trace.append(f"{self.turns.now:9.3f} fault      {kind}")
        if kind != "zone":
            # Fires on until the cause is gone, as Alertmanager's would.
            self.turns.spawn("alert", self.city.process, lambda: self._ring(victim))

    kind = ""

    def _ring(self, victim: str) -> None:
        while not self._is_cured():
            self.city.ring(victim, "false")
            self.turns.sleep(10)

    def _release(self) -> None:
        (service,) = self.platform.services
        (group,) = service.groups
        group = group.model_copy(update={"user_data": BAD})
        service = service.model_copy(update={"groups": (group,)})
        wanted = self.platform.model_copy(update={"services": (service,)})
        watch, self.cloud.watch = self.cloud.watch, None
        result = deployment.deploy(self.workshop, wanted)
        assert result.ok, result.sentence()
        self.cloud.watch = watch
        self.turns.sleep(15)

    def _is_cured(self) -> bool:
        """
        What the rung is to bring about, once.
        """
        (platform,) = self.store.registry.platforms()
        (group,) = platform.services[0].groups
        if self.kind == "load":
            return group.count == GROWN
        if self.kind == "release":
            return group.user_data != BAD
        if self.kind == "front":
            return not self.cloud.world.load_balancers[BALANCER].dead
        return True

    def _is_well(self) -> bool:
        known = self.store.registry.platform(PLATFORM)
        if known is not None:
            self.platform = known
        if not self.store.cases.cases() or not self._is_cured():
            return False
        return super()._is_well()

    def taken(self) -> list[Rung]:
        """
        Rungs whose plans were opened in the journal, in the order of their cases.
        """
        found = []
        for case in self.store.cases.cases(limit=1_000):
            plan = self.store.journal.plan(case.plan_id) if case.plan_id else None
            if plan is not None and plan.purpose is Purpose.HEAL:
                found.append(next(r for r in Rung if f"-{r}-" in f"{plan.id}-"))
        return found
