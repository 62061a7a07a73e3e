"""
What planning one group needs to know: what should be, what is, and the steps it builds on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from blueprints.observed import Observed
from blueprints.slot import places_of
from fournines.model.desired import Group, Membership, Service
from fournines.planning.pools import Place


@dataclass(frozen=True, slots=True)
class Scope:
    """
    One group, seen by the planner.

    Attributes:
        drained: Instances that a healing case holds: their slots are left alone.
        shared_needs: Steps an instance of this group needs done before it is made.
        balancer_needs: Steps of this plan that make or change a load balancer, by its name.
        insist: A person takes the risk that a size brings.
        may_restart: Members are restarted for settings that need it.
        may_interrupt: A person takes the outage that replacing a service's only member is.
    """

    service: Service
    group: Group
    observed: Observed
    drained: frozenset[str]
    shared_needs: tuple[str, ...]
    balancer_needs: Mapping[str, str]
    insist: bool = False
    may_restart: bool = True
    may_interrupt: bool = False

    @property
    def places(self) -> tuple[Place, ...]:
        """
        The pools the group serves in.
        """
        return places_of(self.group)

    def after(self, steps: Iterable[str]) -> Scope:
        """
        The same, its instances made only after these steps, too.
        """
        needs = dict.fromkeys((*self.shared_needs, *steps))
        return replace(self, shared_needs=tuple(needs))

    def join_needs(
        self, membership: Membership, needs: Sequence[str]
    ) -> tuple[str, ...]:
        """
        What joining a pool waits for: `needs`, and the load balancer when it is changed in this plan.
        """
        balancer = self.balancer_needs.get(membership.load_balancer)
        return (*needs, balancer) if balancer else tuple(needs)
