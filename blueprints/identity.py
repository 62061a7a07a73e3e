"""
What an ordinal slot keeps when its instance is replaced: its port, and with it its address.

All ports of a group are there before its first instance, so that each may be told of its peers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blueprints import drafting
from blueprints.observed import Observed
from blueprints.scope import Scope
from blueprints.slot import Slot, serves
from fournines.model.desired import Service
from fournines.model.inventory import Port
from fournines.planning.costs import deadline_seconds
from fournines.planning.steps import DeleteInstance, DeleteResource, EnsurePort, Step


def port_steps(scope: Scope) -> Iterator[EnsurePort]:
    """
    Ports that the group's slots lack.
    """
    if not scope.group.is_ordinal:
        return
    for number in range(scope.group.count):
        spec = scope.service.port(scope.group, number)
        if spec.name in scope.observed.ports:
            continue
        yield EnsurePort(
            id=f"ensure-port/{spec.name}",
            needs=scope.shared_needs,
            deadline_seconds=deadline_seconds("ensure-port"),
            why=f"slot {number} has no address",
            spec=spec,
        )


def clears_first(scope: Scope, slot: Slot) -> bool:
    """
    Whether what is in an empty slot must go before its next instance comes, since it may hold the slot's port. One that serves stays until then.
    """
    return scope.group.is_ordinal and not any(
        serves(one, scope.places, scope.observed) for one in slot.leftovers
    )


def unwanted_ports(
    service: Service, observed: Observed, steps: Sequence[Step]
) -> Iterator[DeleteResource]:
    """
    Ports of slots that are asked for no more, once the plan has taken away whoever uses them.
    """
    deletes = {
        step.instance: step.id for step in steps if isinstance(step, DeleteInstance)
    }
    wanted = {
        spec.name
        for group in service.groups
        if group.is_ordinal
        for spec in (service.port(group, number) for number in range(group.count))
    }
    for port in sorted(observed.ports.values(), key=lambda one: one.name):
        if port.owner is None or port.owner.service != service.name:
            continue
        users = _users(port, observed)
        if port.name in wanted or not users <= deletes.keys():
            continue
        yield drafting.delete_resource(
            "port",
            port.name,
            needs=[deletes[name] for name in sorted(users)],
            why="its slot is asked for no more",
        )


def _users(port: Port, observed: Observed) -> set[str]:
    """
    The instances in a port's slot, and whoever else has it.
    """
    owner = port.owner
    assert owner is not None
    here = observed.slot(owner.service or "", owner.group or "", owner.slot)
    held = (i for i in observed.inventory.instances if i.id == port.attached_to)
    return {instance.name for instance in (*here, *held)}
