"""
Trouble that no single instance has: more requests than a group can serve, a dependency that is missing, a load balancer that is dead.
"""

from __future__ import annotations

from datetime import datetime

from fournines.cloud.simulated import block, health
from fournines.cloud.simulated.door import Door
from fournines.cloud.simulated.health import Answer
from fournines.cloud.simulated.records import LoadBalancerRecord, VolumeRecord
from fournines.cloud.simulated.scenario import InconsistentScenario
from fournines.cloud.simulated.traffic import through


class Hardships(Door):
    """
    The levers for it, and what users see of it.
    """

    def press(self, load_balancer: str, pool: str, requests_per_second: float) -> None:
        """
        Have users ask so much of a pool; members that get more than the scenario's capacity answer slowly.
        """
        with self._lock:
            self.settle()
            self._pool_of(load_balancer, pool)
            self.world.pressure[load_balancer, pool] = requests_per_second

    def pressure(self, load_balancer: str, pool: str) -> float:
        """
        Requests per second that users make now.
        """
        with self._lock:
            return self.world.pressure.get((load_balancer, pool), 0.0)

    def let_depend(self, service: str, on: str) -> None:
        """
        From now on a service answers users with errors while nobody of the other one serves. Named `platform-service`.
        """
        with self._lock:
            self.world.needs[service] = on

    def silence_load_balancer(self, name: str) -> None:
        """
        A load balancer's process dies: nobody gets through until it is failed over.
        """
        with self._lock:
            self.settle()
            self._balancer_of(name).dead = True

    def stop_failover(self, name: str) -> None:
        """
        The cloud has given up failing this load balancer over by itself.
        """
        with self._lock:
            self._balancer_of(name).failover_stopped = True

    def break_volume(self, name: str) -> None:
        """
        A volume goes into error: who has it goes on, and nobody gets it next.
        """
        with self._lock:
            self.settle()
            self._volume_of(name).status = block.ERROR

    def reset_volume(self, name: str) -> None:
        """
        An administrator resets its state.
        """
        with self._lock:
            self.settle()
            record = self._volume_of(name)
            record.status = "in-use" if record.attached_to else "available"

    def stick_volume(self, name: str, until: datetime) -> None:
        """
        Attaching and detaching it take until then.
        """
        with self._lock:
            self._volume_of(name).stuck_until = until

    def _volume_of(self, name: str) -> VolumeRecord:
        record = self.world.volumes.get(name)
        if record is None:
            raise InconsistentScenario(f"there is no volume {name}")
        return record

    def knock(self, address: str, *, timeout_seconds: float = 0.8) -> Answer:
        """
        A user's request to a load balancer's address.
        """
        with self._lock:
            now = self.settle()
            found = self._at(address)
            if found is None:
                return Answer(None, 0.0, "refused")
            if found.dead:
                return Answer(None, timeout_seconds, "timeout")
            return self._answer(found, now, timeout_seconds)

    def _answer(
        self, balancer: LoadBalancerRecord, now: datetime, timeout_seconds: float
    ) -> Answer:
        """
        As most of its users fare: by the largest share of the first pool with members.
        """
        for pool in balancer.pools:
            traffic = through(self.world, balancer.name, pool, now)
            taking = [m for m in traffic.members if m.share]
            if not taking:
                continue
            slowest = max(m.seconds for m in taking)
            if slowest >= timeout_seconds:
                return Answer(None, timeout_seconds, "timeout")
            return Answer(500 if traffic.error_ratio > 0.5 else 200, slowest)
        return Answer(503, health.QUICK_SECONDS)

    def _at(self, address: str) -> LoadBalancerRecord | None:
        for record in self.world.load_balancers.values():
            floating = {
                one.address
                for one in self.world.floating_ips.values()
                if one.load_balancer == record.name
            }
            if address == record.vip_address or address in floating:
                return record
        return None

    def _balancer_of(self, name: str) -> LoadBalancerRecord:
        record = self.world.load_balancers.get(name)
        if record is None:
            raise InconsistentScenario(f"there is no load balancer {name}")
        return record

    def _pool_of(self, load_balancer: str, pool: str) -> None:
        if pool not in self._balancer_of(load_balancer).pools:
            raise InconsistentScenario(f"there is no pool {pool}")
