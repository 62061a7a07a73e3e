"""
What users get through a pool of the simulated cloud: computed from weights, monitors' verdicts and behaviours.

As a real HAProxy does: members in rotation share the requests by weight; a refused connection is tried elsewhere and costs
the user nothing; a hung member costs the member time-out and ends in a 504.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fournines.cloud.simulated.health import ask
from fournines.cloud.simulated.suffering import hardship
from fournines.cloud.simulated.world import World


@dataclass(frozen=True, slots=True)
class MemberTraffic:
    """
    A member's part.

    Attributes:
        share: Of the pool's requests, 0 to 1.
        error_ratio: Of its requests that end in a 5xx or time out.
        seconds: How long its requests take.
    """

    instance: str
    in_rotation: bool
    share: float
    error_ratio: float
    seconds: float


@dataclass(frozen=True, slots=True)
class PoolTraffic:
    """
    A pool's traffic at one moment.
    """

    members: tuple[MemberTraffic, ...]

    @property
    def error_ratio(self) -> float:
        """
        Of the users' requests; 1 when nobody is in rotation.
        """
        if not any(member.share for member in self.members):
            return 1.0
        return sum(member.share * member.error_ratio for member in self.members)

    def slow_ratio(self, threshold_seconds: float) -> float:
        """
        Of the users' requests that take longer than the threshold, errors not counted.
        """
        return sum(
            member.share * (1 - member.error_ratio)
            for member in self.members
            if member.seconds > threshold_seconds
        )


def through(world: World, load_balancer: str, pool: str, now: datetime) -> PoolTraffic:
    """
    A pool's traffic now.

    Raises:
        KeyError: There is no such pool.
    """
    balancer = world.load_balancers[load_balancer]
    record = balancer.pools[pool]
    timeout_ms = next(
        (
            spec.timeout_member_data_ms
            for _, spec in balancer.listeners.values()
            if spec.pool == pool
        ),
        50_000,
    )
    answers = {
        name: ask(
            world.instances.get(name),
            now,
            health_path=False,
            timeout_seconds=timeout_ms / 1000,
            hardship=hardship(world, world.instances.get(name), now),
        )
        for name in record.members
    }
    rotation = {
        name: member.weight
        for name, member in record.members.items()
        if member.up is not False
        and member.weight > 0
        and answers[name].error != "refused"
    }
    total = sum(rotation.values())
    return PoolTraffic(
        tuple(
            MemberTraffic(
                instance=name,
                in_rotation=name in rotation,
                share=rotation.get(name, 0) / total if total else 0.0,
                error_ratio=0.0 if answers[name].good else 1.0,
                seconds=answers[name].seconds,
            )
            for name in record.members
        )
    )
