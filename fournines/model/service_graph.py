"""
What a service stands on: application -> pool -> instance -> host -> zone, application -> database -> volume, as one value.

Drawn by `fournines graph`, and read by people who ask "what else falls with it?". Nodes are what was asked for; what the cloud shows of them
stands beside each as a word. A node that was asked for and is not there says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from fournines.model import names
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Instance, Inventory
from fournines.model.value import Value


class NodeKind(StrEnum):
    """
    What a node is.
    """

    SERVICE = "service"
    BALANCER = "load balancer"
    POOL = "pool"
    SLOT = "slot"
    INSTANCE = "instance"
    VOLUME = "volume"
    HOST = "host"
    ZONE = "zone"


class Node(Value):
    """
    One thing.

    Attributes:
        id: Unique in the graph: kind and name.
        state: The cloud's word for it, or "missing"; empty where there is none to give.
    """

    id: str
    kind: NodeKind
    name: str
    state: str = ""


class Edge(Value):
    """
    `above` cannot serve without `below`, or not as well.
    """

    above: str
    below: str


class ServiceGraph(Value):
    """
    Nodes and edges, each once, in the order they were met from the top.
    """

    root: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()

    def node(self, number: str) -> Node:
        """
        The node of an id.

        Raises:
            KeyError: There is none.
        """
        for node in self.nodes:
            if node.id == number:
                return node
        raise KeyError(number)

    def below(self, number: str) -> tuple[Node, ...]:
        """
        What a node stands on directly.
        """
        return tuple(self.node(e.below) for e in self.edges if e.above == number)

    def falls_with(self, number: str) -> tuple[Node, ...]:
        """
        Everything that stands on a node, directly or not, in the graph's order.
        """
        reached = {number}
        grown = True
        while grown:
            more = {e.above for e in self.edges if e.below in reached} - reached
            grown = bool(more)
            reached |= more
        return tuple(n for n in self.nodes if n.id in reached - {number})


class _Drawing:
    """
    A graph being put together; a thing met twice is one node.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str], Edge] = {}

    def add(
        self, kind: NodeKind, name: str, state: str = "", *, above: str | None = None
    ) -> str:
        """
        The node's id.
        """
        number = f"{kind}/{name}"
        self.nodes.setdefault(
            number, Node(id=number, kind=kind, name=name, state=state)
        )
        if above is not None:
            self.edges.setdefault((above, number), Edge(above=above, below=number))
        return number


def of(platform: Platform, service: str, inventory: Inventory) -> ServiceGraph:
    """
    The graph below one service of a platform.

    Raises:
        KeyError: The platform has no such service.
    """
    drawing = _Drawing()
    root = _service(drawing, platform, platform.service(service), inventory, None)
    return ServiceGraph(
        root=root,
        nodes=tuple(drawing.nodes.values()),
        edges=tuple(drawing.edges.values()),
    )


def _service(
    drawing: _Drawing,
    platform: Platform,
    service: Service,
    inventory: Inventory,
    above: str | None,
) -> str:
    known = f"{NodeKind.SERVICE}/{service.name}" in drawing.nodes
    me = drawing.add(NodeKind.SERVICE, service.name, above=above)
    if known:
        return me
    for group in service.groups:
        tops = list(_pools(drawing, group, inventory, me)) or [me]
        for slot in range(group.count):
            place = names.slot(service.platform, service.name, group.name, slot)
            here = _in_slot(inventory, service, group, slot)
            for top in tops:
                _slot(drawing, place, here, inventory, above=top)
                _volume(drawing, group, place, inventory, here)
    there = {one.name: one for one in platform.services}
    for name in service.depends_on:
        if name in there:
            _service(drawing, platform, there[name], inventory, me)
        else:
            drawing.add(NodeKind.SERVICE, name, "not of this platform", above=me)
    return me


def _pools(
    drawing: _Drawing, group: Group, inventory: Inventory, above: str
) -> Iterator[str]:
    for place in group.memberships:
        balancer = inventory.load_balancer(place.load_balancer)
        state = balancer.operating_status if balancer else "missing"
        front = drawing.add(NodeKind.BALANCER, place.load_balancer, state, above=above)
        yield drawing.add(NodeKind.POOL, place.pool, above=front)


def _in_slot(
    inventory: Inventory, service: Service, group: Group, slot: int
) -> tuple[Instance, ...]:
    return tuple(
        instance
        for instance in inventory.of_group(service.name, group.name)
        if instance.owner and instance.owner.slot == slot
    )


def _slot(
    drawing: _Drawing,
    place: str,
    here: tuple[Instance, ...],
    inventory: Inventory,
    *,
    above: str,
) -> None:
    if not here:
        drawing.add(NodeKind.SLOT, place, "no instance", above=above)
    for instance in here:
        state = _state(instance, inventory)
        me = drawing.add(NodeKind.INSTANCE, instance.name, state, above=above)
        _ground(drawing, instance, me)


def _volume(
    drawing: _Drawing,
    group: Group,
    place: str,
    inventory: Inventory,
    here: tuple[Instance, ...],
) -> None:
    if group.volume_size_gb is None:
        return
    volume = next((v for v in inventory.volumes if v.name == place), None)
    state = volume.status if volume else "missing"
    for instance in here:
        above = f"{NodeKind.INSTANCE}/{instance.name}"
        drawing.add(NodeKind.VOLUME, place, state, above=above)


def _ground(drawing: _Drawing, instance: Instance, me: str) -> None:
    zone = instance.zone or "no zone known"
    if instance.host is None:
        drawing.add(NodeKind.ZONE, zone, above=me)
        return
    # A hostId is a hash: its first digits tell hosts apart.
    host = drawing.add(
        NodeKind.HOST, instance.host[:HOST_SHOWN], instance.host_status or "", above=me
    )
    drawing.add(NodeKind.ZONE, zone, above=host)


def _state(instance: Instance, inventory: Inventory) -> str:
    members = [
        member
        for balancer in inventory.load_balancers
        for pool in balancer.pools
        for member in pool.members
        if member.name == instance.name
    ]
    said = [instance.status, *(f"{m.operating_status} x{m.weight}" for m in members)]
    return ", ".join(said)


HOST_SHOWN = 12
"""Digits of a host's opaque id that people see."""
