"""
What an onlooker of the simulated world would have noted: who was asked, who was called down, which load balancer was dead, and when.
"""

from __future__ import annotations

from tests.sim.town import WatchedCloud
from tests.sim.turns import Turns


class Onlooker:
    """
    Looks once a second.

    Attributes:
        down_at: Since when a load balancer calls a member down.
        asked_at: When users were last sent to a member.
        dead_at: When a load balancer was last dead.
    """

    def __init__(self, turns: Turns, cloud: WatchedCloud) -> None:
        self._turns = turns
        self._cloud = cloud
        self.down_at: dict[str, float] = {}
        self.asked_at: dict[str, float] = {}
        self.dead_at: dict[str, float] = {}

    def look(self) -> None:
        """
        Note what is so now.
        """
        now = self._turns.now
        for balancer in self._cloud.world.load_balancers.values():
            if balancer.dead:
                self.dead_at[balancer.name] = now
            for pool in balancer.pools.values():
                for member in pool.members.values():
                    if member.weight > 0:
                        self.asked_at[member.instance] = now
                    if member.up:
                        self.down_at.pop(member.instance, None)
                    else:
                        self.down_at.setdefault(member.instance, now)
