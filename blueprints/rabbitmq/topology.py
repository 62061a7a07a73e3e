"""
What a message bus holds besides messages: vhosts, users, queues, exchanges, bindings and policies, as its owner declares them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from fournines.model.value import Value

DEFAULT_VHOST = "main"
"""Not "/": RabbitMQ 3.10 makes that one itself, and gives a vhost its default type of queue only when it makes it."""

OPERATOR = "fournines"
"""The platform's own user, an administrator. Nobody else is one."""

LIMITS_POLICY = "fournines-limits"
LIMITS_PRIORITY = -100
"""Below every policy an owner declares: one policy holds for a queue, and the owner's is the more precise."""

EXCHANGES_OF_AMQP = (
    "",
    "amq.direct",
    "amq.fanout",
    "amq.headers",
    "amq.match",
    "amq.topic",
)

_COMMON = frozenset({"x-queue-type", "x-queue-leader-locator", "x-expires"})
_LIMITS = frozenset({"x-max-length", "x-max-length-bytes", "x-overflow"})
_LETTERS = frozenset(
    {"x-dead-letter-exchange", "x-dead-letter-routing-key", "x-message-ttl"}
)
_ARGUMENTS: Mapping[str, frozenset[str]] = {
    "quorum": _COMMON
    | _LIMITS
    | _LETTERS
    | {
        "x-delivery-limit",
        "x-dead-letter-strategy",
        "x-quorum-initial-group-size",
        "x-single-active-consumer",
    },
    "classic": _COMMON
    | _LIMITS
    | _LETTERS
    | {"x-max-priority", "x-queue-mode", "x-single-active-consumer"},
    "stream": (_COMMON - {"x-expires"})
    | {
        "x-max-length-bytes",
        "x-max-age",
        "x-stream-max-segment-size-bytes",
        "x-initial-cluster-size",
    },
}
"""What RabbitMQ 3.10 understands; anything else it would take and ignore, or refuse only when the queue is made."""


class Permission(Value):
    """
    What a user may do in a vhost, as regular expressions over names.
    """

    vhost: str = DEFAULT_VHOST
    configure: str = ".*"
    write: str = ".*"
    read: str = ".*"


class User(Value):
    """
    An application. Its password is generated: `fournines credentials SERVICE` hands it out.
    """

    name: str
    tags: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = (Permission(),)


class Exchange(Value):
    """
    Where messages are published.
    """

    vhost: str = DEFAULT_VHOST
    name: str
    type: str = "topic"
    internal: bool = False
    arguments: dict[str, Any] = Field(default_factory=dict)


class Queue(Value):
    """
    Where messages wait. Durable always: what is confirmed is kept.
    """

    vhost: str = DEFAULT_VHOST
    name: str
    type: Literal["quorum", "classic", "stream"] = "quorum"
    arguments: dict[str, Any] = Field(default_factory=dict)

    @property
    def full_arguments(self) -> dict[str, Any]:
        """
        As RabbitMQ is told.
        """
        return {"x-queue-type": self.type, **self.arguments}


class Binding(Value):
    """
    From an exchange to a queue or another exchange.
    """

    vhost: str = DEFAULT_VHOST
    source: str
    destination: str
    destination_type: Literal["queue", "exchange"] = "queue"
    routing_key: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)


class Policy(Value):
    """
    Settings for all queues or exchanges whose names match.
    """

    vhost: str = DEFAULT_VHOST
    name: str
    pattern: str
    apply_to: Literal["queues", "exchanges", "all"] = "queues"
    priority: int = 0
    definition: dict[str, Any]


class Limits(Value):
    """
    What no queue may exceed unless its own arguments or a policy say otherwise.
    """

    max_length: int = 1_000_000
    max_length_bytes: int = 1 << 30
    delivery_limit: int = 20


class Topology(Value):
    """
    All of it.
    """

    vhosts: tuple[str, ...] = (DEFAULT_VHOST,)
    users: tuple[User, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    bindings: tuple[Binding, ...] = ()
    policies: tuple[Policy, ...] = ()
    limits: Limits = Limits()

    def all_policies(self) -> tuple[Policy, ...]:
        """
        The owner's, and the limits in every vhost.
        """
        limits = Policy(
            name=LIMITS_POLICY,
            pattern=".*",
            priority=LIMITS_PRIORITY,
            definition={
                "max-length": self.limits.max_length,
                "max-length-bytes": self.limits.max_length_bytes,
                "overflow": "reject-publish",
                "delivery-limit": self.limits.delivery_limit,
            },
        )
        ours = (limits.model_copy(update={"vhost": vhost}) for vhost in self.vhosts)
        return (*self.policies, *ours)


def of(parameters: Mapping[str, Any]) -> Topology:
    """
    The topology that a service's parameters declare; they have passed the blueprint's schema.
    """
    fields = {
        name: parameters[name] for name in Topology.model_fields if name in parameters
    }
    return Topology.model_validate(fields)


def with_logins(topology: Topology, logins: Mapping[str, Collection[str]]) -> Topology:
    """
    Each user under the names it logs in with, all of which may the same.
    """
    users = tuple(
        user.model_copy(update={"name": login})
        for user in topology.users
        for login in sorted(logins[user.name])
    )
    return topology.model_copy(update={"users": users})


Complaint = tuple[list[str | int], str]


def complaints(parameters: Mapping[str, Any]) -> Iterator[Complaint]:
    """
    What is wrong with it, each with its place among the parameters.
    """
    topology = of(parameters)
    yield from _twice(topology)
    yield from _strange_vhosts(topology)
    yield from _arguments(topology)
    yield from _loose_ends(topology)
    for number, user in enumerate(topology.users):
        if user.name == OPERATOR:
            yield ["users", number], f"{OPERATOR!r} is the platform's own user"
    for number, policy in enumerate(topology.policies):
        if policy.name == LIMITS_POLICY:
            yield ["policies", number], f"{LIMITS_POLICY!r} is made from `limits`"


def _twice(topology: Topology) -> Iterator[Complaint]:
    for kind in ("users", "exchanges", "queues", "policies"):
        seen: set[tuple[str, str]] = set()
        for number, thing in enumerate(getattr(topology, kind)):
            key = (getattr(thing, "vhost", ""), thing.name)
            if key in seen:
                yield [kind, number, "name"], f"{thing.name!r} stands here twice"
            seen.add(key)


def _strange_vhosts(topology: Topology) -> Iterator[Complaint]:
    for kind in ("exchanges", "queues", "bindings", "policies"):
        for number, thing in enumerate(getattr(topology, kind)):
            if thing.vhost not in topology.vhosts:
                yield [kind, number, "vhost"], _no_vhost(thing.vhost)
    for number, user in enumerate(topology.users):
        for place, permission in enumerate(user.permissions):
            if permission.vhost not in topology.vhosts:
                path: list[str | int] = ["users", number, "permissions", place, "vhost"]
                yield path, _no_vhost(permission.vhost)


def _no_vhost(vhost: str) -> str:
    return f"there is no vhost {vhost!r}; add it to `vhosts`"


def _arguments(topology: Topology) -> Iterator[Complaint]:
    for number, queue in enumerate(topology.queues):
        for name in queue.arguments:
            path: list[str | int] = ["queues", number, "arguments", name]
            if name == "x-queue-type":
                yield path, "say `type` of the queue instead"
            elif name not in _ARGUMENTS[queue.type]:
                known = ", ".join(sorted(_ARGUMENTS[queue.type] - {"x-queue-type"}))
                yield path, f"a {queue.type} queue has no such argument; it has {known}"
        letters = queue.arguments.get("x-dead-letter-exchange")
        if letters is not None and not _has_exchange(topology, queue.vhost, letters):
            yield (
                ["queues", number, "arguments", "x-dead-letter-exchange"],
                f"there is no exchange {letters!r} in vhost {queue.vhost!r}",
            )


def _loose_ends(topology: Topology) -> Iterator[Complaint]:
    queues = {(queue.vhost, queue.name) for queue in topology.queues}
    for number, binding in enumerate(topology.bindings):
        where = f"in vhost {binding.vhost!r}; declare it, or mend the name"
        if not binding.source:
            yield (
                ["bindings", number, "source"],
                "the default exchange takes no bindings: it leads to every queue by its name",
            )
        elif not _has_exchange(topology, binding.vhost, binding.source):
            yield (
                ["bindings", number, "source"],
                f"there is no exchange {binding.source!r} {where}",
            )
        there = (
            (binding.vhost, binding.destination) in queues
            if binding.destination_type == "queue"
            else _has_exchange(topology, binding.vhost, binding.destination)
        )
        if not there:
            yield (
                ["bindings", number, "destination"],
                f"there is no {binding.destination_type} {binding.destination!r} {where}",
            )


def _has_exchange(topology: Topology, vhost: str, name: str) -> bool:
    return name in EXCHANGES_OF_AMQP or any(
        (exchange.vhost, exchange.name) == (vhost, name)
        for exchange in topology.exchanges
    )
