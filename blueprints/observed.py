"""
An inventory with the look-ups a diff needs, each made once, so that planning stays linear in the platform's size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from fournines.model.cluster import ClusterView
from fournines.model.contents import Contents
from fournines.model.inventory import (
    FloatingIp,
    Instance,
    Inventory,
    LoadBalancer,
    Member,
    Network,
    Port,
    Resource,
    SecurityGroup,
    ServerGroup,
    Volume,
)
from fournines.planning.pools import Place

R = TypeVar("R", bound=Resource)


class Observed:
    """
    What is, by name and by place. Only what carries our mark is found here.

    Args:
        inventory: The cloud's word.
        views: What stateful groups say of themselves, by service and group; a group that is not in it could not be asked.
        contents: What of their contents is not as asked for; likewise.
        by_role: Pools of groups that serve in one role alone: what they call DOWN may be well.
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        views: Mapping[tuple[str, str], ClusterView] | None = None,
        contents: Mapping[tuple[str, str], Contents] | None = None,
        by_role: Collection[Place] = (),
    ) -> None:
        self.inventory = inventory
        self.views = views or {}
        self.contents = contents or {}
        self.by_role = frozenset(by_role)
        self.networks: dict[str, Network] = _by_name(inventory.networks)
        self.security_groups: dict[str, SecurityGroup] = _by_name(
            inventory.security_groups
        )
        self.server_groups: dict[str, ServerGroup] = _by_name(inventory.server_groups)
        self.volumes: dict[str, Volume] = _by_name(inventory.volumes)
        self.load_balancers: dict[str, LoadBalancer] = _by_name(
            inventory.load_balancers
        )
        self.floating_ips: dict[str, FloatingIp] = _by_name(inventory.floating_ips)
        self.ports: dict[str, Port] = _by_name(inventory.ports)
        self._groups: dict[tuple[str, str], list[Instance]] = {}
        self._slots: dict[tuple[str, str, int | None], list[Instance]] = {}
        self._members: dict[Place, dict[str, Member]] = {}
        self._places: dict[str, list[Place]] = {}
        for instance in inventory.instances:
            owner = instance.owner
            if owner is not None and owner.service and owner.group:
                key = (owner.service, owner.group)
                self._groups.setdefault(key, []).append(instance)
                self._slots.setdefault((*key, owner.slot), []).append(instance)
        for balancer in inventory.load_balancers:
            for pool in balancer.pools:
                place = Place(balancer.name, pool.name)
                self._members[place] = {m.name: m for m in pool.members}
                for member in pool.members:
                    self._places.setdefault(member.name, []).append(place)

    def groups_of(self, service: str) -> tuple[str, ...]:
        """
        The names of the groups that have instances in a service.
        """
        return tuple(sorted(g for s, g in self._groups if s == service))

    def instances(self, service: str, group: str) -> tuple[Instance, ...]:
        """
        The instances of one group, every slot and generation.
        """
        return tuple(self._groups.get((service, group), ()))

    def slot(self, service: str, group: str, number: int | None) -> list[Instance]:
        """
        The instances in one slot, every generation.
        """
        return self._slots.get((service, group, number), [])

    def members(self, place: Place) -> dict[str, Member]:
        """
        The members of a pool by instance's name; empty when the pool is not there.
        """
        return self._members.get(place, {})

    def places(self, instance: str) -> tuple[Place, ...]:
        """
        The pools an instance is in.
        """
        return tuple(self._places.get(instance, ()))


def _by_name(resources: Iterable[R]) -> dict[str, R]:
    return {r.name: r for r in resources if r.owner is not None}
