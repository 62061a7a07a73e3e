"""
Operators: a stateful service's own API, as we use it. One module per engine, one Protocol for all, and a simulated one beside them.

An operator decides nothing: lifecycle rules (blueprints/lifecycle.py) do. Each call is idempotent, ends within seconds, and raises what is
below when the service cannot be asked or says no; a call never touches the cloud.

    CloudUnreachable
    └── ClusterSilent       no member gives an answer that can be used
    CloudRefused
    └── ClusterRefused      the service understood and said no, or its rules do
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from fournines.cloud.errors import CloudRefused, CloudUnreachable
from fournines.model import names
from fournines.model.cluster import ClusterView
from fournines.model.contents import ContentChange
from fournines.model.desired import Group, Service
from fournines.model.inventory import DEAD_STATUSES, Instance, Inventory


class ClusterSilent(CloudUnreachable):
    """
    No member of the service gives an answer that can be used.
    """


class ClusterRefused(CloudRefused):
    """
    The service, or its rules, understood and said no.
    """


@dataclass(frozen=True)
class Cluster:
    """
    What an operator works on: an ordinal group, and the cloud's word for where its members are.
    """

    service: Service
    group: Group
    inventory: Inventory

    @property
    def slot_names(self) -> tuple[str, ...]:
        """
        The slots there should be, then those that still have an instance.
        """
        return tuple(dict.fromkeys((*self._wanted, *self._here)))

    def is_wanted(self, slot_name: str) -> bool:
        """
        Whether the slot is asked for; who leaves one that is not leaves for good.
        """
        return slot_name in self._wanted

    def instance(self, slot_name: str) -> Instance | None:
        """
        The youngest instance in a slot that the cloud does not call dead, else the youngest.
        """
        here = self._here.get(slot_name, [])
        live = [i for i in here if i.status not in DEAD_STATUSES]
        found = live or here
        return found[-1] if found else None

    def address(self, slot_name: str) -> str | None:
        """
        Where the member of a slot answers.
        """
        found = self.instance(slot_name)
        return found.address if found else None

    def addresses(self) -> dict[str, str]:
        """
        Where to ask, by slot's name; only slots that have an address.
        """
        found = {slot: self.address(slot) for slot in self.slot_names}
        return {slot: address for slot, address in found.items() if address}

    @property
    def label(self) -> str:
        """
        The cluster for people: `demo-db-pg`.
        """
        return names.of_service(
            self.service.platform, self.service.name, self.group.name
        )

    @cached_property
    def _wanted(self) -> tuple[str, ...]:
        return tuple(self._slot_name(number) for number in range(self.group.count))

    @cached_property
    def _here(self) -> dict[str, list[Instance]]:
        """
        Instances by slot, asked for again and again while nothing of it changes.
        """
        found: dict[str, list[Instance]] = {}
        for instance in self.inventory.of_group(self.service.name, self.group.name):
            assert instance.owner is not None
            slot = self._slot_name(instance.owner.slot or 0)
            found.setdefault(slot, []).append(instance)
        return found

    def _slot_name(self, number: int) -> str:
        return names.slot(
            self.service.platform, self.service.name, self.group.name, number
        )


class Operator(Protocol):
    """
    One engine's API. Thread-safe. `slot` is a slot's name, as everywhere in a ClusterView.

    Raises:
        ClusterSilent: Nobody there gives an answer that can be used.
        ClusterRefused: It said no.
    """

    def view(self, cluster: Cluster) -> ClusterView:
        """
        What the service says of itself, now. A member that does not answer is in it, as STOPPED or ABSENT.
        """
        ...

    def leave(self, cluster: Cluster, slot: str, *, deadline_seconds: float) -> None:
        """
        Make it safe to stop the member: hand over what it leads, take no more work. It stays a member, for it (or its successor on the same
        volume) comes back; but one whose slot is not wanted any more (`cluster.is_wanted`) leaves for good, and is best counted no more
        before it stops. Nothing to do for one that is dead.
        """
        ...

    def stay(self, cluster: Cluster, slot: str) -> None:
        """
        Take `leave` back: the member works as before. Nothing to do for one that never left.
        """
        ...

    def admitted(self, cluster: Cluster, slot: str) -> bool:
        """
        Do what is still to be done from outside so that the member counts in full (promote a learner, grow replicas back, take it out of
        maintenance), and say whether nothing is left. Asked again until it is so; the rules judge the rest from a fresh view.
        """
        ...

    def remove(self, cluster: Cluster, slot: str) -> None:
        """
        The member is gone for ever, its instance too: the service must not count it any more. Nothing to do when it does not.
        """
        ...

    def apply(self, cluster: Cluster) -> tuple[str, ...]:
        """
        Bring settings and objects (users, databases, queues, policies) to what the service's parameters ask for; returns what was changed, one
        clause each. Restarts nothing.
        """
        ...

    def drift(self, cluster: Cluster) -> tuple[ContentChange, ...]:
        """
        What `apply` would change now. Changes nothing itself; ClusterRefused says what stands in the way of all of it.
        """
        ...

    def switchover(self, cluster: Cluster, to: str | None) -> str:
        """
        Have another member lead, the one in the slot `to` or the fittest, and return its slot once it does. Nothing acknowledged is lost.
        Nothing to do when `to` leads.
        """
        ...

    def restart(self, cluster: Cluster, slot: str) -> None:
        """
        Restart the server in a member, its instance stays; it comes back with all settings.
        """
        ...
