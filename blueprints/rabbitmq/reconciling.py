"""
What a message bus should hold x what it holds -> what to ask of its management API. Pure.

What only the platform can make (users, permissions, policies) is also taken away when nobody declares it any more: application users are
no administrators and no policy makers. What applications may make themselves (queues, exchanges, bindings) and what holds messages (queues,
vhosts) is only ever added: taking it away could lose what was confirmed, so a person does that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import Field, JsonValue

from blueprints.rabbitmq.topology import (
    OPERATOR,
    Binding,
    Exchange,
    Permission,
    Policy,
    Queue,
    Topology,
)
from fournines.model.value import Value

Body = Mapping[str, Any]

_HASH = "rabbit_password_hashing_sha256"
_SALT_BYTES = 4

QUORUM_DEFAULT = {"defaultqueuetype": "quorum"}
"""A durable queue that an application declares without a type is a quorum queue."""


class Observed(Value):
    """
    What the management API lists, as it lists it.
    """

    vhosts: tuple[dict[str, JsonValue], ...] = ()
    users: tuple[dict[str, JsonValue], ...] = ()
    permissions: tuple[dict[str, JsonValue], ...] = ()
    exchanges: tuple[dict[str, JsonValue], ...] = ()
    queues: tuple[dict[str, JsonValue], ...] = ()
    bindings: tuple[dict[str, JsonValue], ...] = ()
    policies: tuple[dict[str, JsonValue], ...] = ()


class Change(Value):
    """
    One request.

    Attributes:
        said: A clause for people.
        password_of: The user whose password belongs into the body; it never stands in a value.
        login: The user whom it lets in, or lets do something.
    """

    method: str
    path: str
    body: dict[str, JsonValue] = Field(default_factory=dict)
    said: str
    password_of: str | None = None
    login: str = ""


def changes(
    wanted: Topology, seen: Observed, *, stale: Collection[str] = ()
) -> tuple[Change, ...]:
    """
    In an order in which each finds what it needs. `stale` are users whose password is not the one in our store.
    """
    return (
        *_vhosts(wanted, seen),
        *_users(wanted, seen, stale),
        *_permissions(wanted, seen),
        *_exchanges(wanted, seen),
        *_queues(wanted, seen),
        *_bindings(wanted, seen),
        *_policies(wanted, seen),
    )


def conflicts(wanted: Topology, seen: Observed) -> tuple[str, ...]:
    """
    What is there under a declared name and is something else: RabbitMQ changes neither queues nor exchanges, and we delete none.
    """
    there = _by_name(seen.queues)
    found = [
        f"queue {queue.name!r} of vhost {queue.vhost!r} {difference}: a queue cannot be changed; "
        "empty and delete it, then apply again, or mend the declaration"
        for queue in wanted.queues
        if (body := there.get((queue.vhost, queue.name))) is not None
        and (difference := _queue_difference(queue, body))
    ]
    have = _by_name(seen.exchanges)
    found += [
        f"exchange {exchange.name!r} of vhost {exchange.vhost!r} is of type {body.get('type')}, not "
        f"{exchange.type}: delete it, then apply again, or mend the declaration"
        for exchange in wanted.exchanges
        if (body := have.get((exchange.vhost, exchange.name))) is not None
        and body.get("type") != exchange.type
    ]
    return tuple(found)


def _by_name(bodies: Sequence[Body]) -> dict[tuple[str, str], Body]:
    return {(str(body["vhost"]), str(body["name"])): body for body in bodies}


def _path(*parts: str) -> str:
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def _vhosts(wanted: Topology, seen: Observed) -> Iterator[Change]:
    there = {str(body["name"]) for body in seen.vhosts}
    for vhost in wanted.vhosts:
        if vhost not in there:
            yield Change(
                method="PUT",
                path=_path("vhosts", vhost),
                body=dict(QUORUM_DEFAULT),
                said=f"vhost {vhost}",
            )
    for vhost in wanted.vhosts:
        if not _may(OPERATOR, vhost, seen):
            yield _grant(OPERATOR, Permission(vhost=vhost))


def _may(user: str, vhost: str, seen: Observed) -> bool:
    return any(
        (body["user"], body["vhost"]) == (user, vhost) for body in seen.permissions
    )


def password_fits(body: Body, password: str) -> bool:
    """
    Whether a user, as the management API lists it, has a password; of a hash that we cannot make ourselves it is taken for granted.
    """
    kept = base64.b64decode(str(body.get("password_hash") or ""))
    if body.get("hashing_algorithm") != _HASH or len(kept) <= _SALT_BYTES:
        return True
    salt, digest = kept[:_SALT_BYTES], kept[_SALT_BYTES:]
    ours = hashlib.sha256(salt + password.encode()).digest()
    return hmac.compare_digest(digest, ours)


def _users(
    wanted: Topology, seen: Observed, stale: Collection[str]
) -> Iterator[Change]:
    there = {str(body["name"]): _tags(body) for body in seen.users}
    for user in wanted.users:
        fits = there.get(user.name) == set(user.tags)
        if not fits or user.name in stale:
            yield Change(
                method="PUT",
                path=_path("users", user.name),
                body={"tags": ",".join(user.tags)},
                said=f"password of {user.name}" if fits else f"user {user.name}",
                password_of=user.name,
                login=user.name,
            )
    kept = {OPERATOR, *(user.name for user in wanted.users)}
    for name in sorted(set(there) - kept):
        yield Change(
            method="DELETE", path=_path("users", name), said=f"no user {name} any more"
        )


def _tags(body: Body) -> set[str]:
    tags = body.get("tags") or []
    words = tags.split(",") if isinstance(tags, str) else tags
    return {str(word) for word in words if word}


def _permissions(wanted: Topology, seen: Observed) -> Iterator[Change]:
    there = {(str(body["user"]), str(body["vhost"])): body for body in seen.permissions}
    declared = {
        (user.name, permission.vhost): permission
        for user in wanted.users
        for permission in user.permissions
    }
    for (user, _), permission in declared.items():
        body = there.get((user, permission.vhost), {})
        now = [body.get(word) for word in ("configure", "write", "read")]
        if now != [permission.configure, permission.write, permission.read]:
            yield _grant(user, permission)
    ours = {user.name for user in wanted.users}
    for user, vhost in sorted(set(there) - set(declared)):
        if user in ours:
            yield Change(
                method="DELETE",
                path=_path("permissions", vhost, user),
                said=f"{user} may nothing in {vhost} any more",
            )


def _grant(user: str, permission: Permission) -> Change:
    return Change(
        method="PUT",
        path=_path("permissions", permission.vhost, user),
        body=permission.model_dump(exclude={"vhost"}),
        said=f"permissions of {user} in {permission.vhost}",
        login=user,
    )


def _exchanges(wanted: Topology, seen: Observed) -> Iterator[Change]:
    there = _by_name(seen.exchanges)
    for exchange in wanted.exchanges:
        if (exchange.vhost, exchange.name) not in there:
            yield Change(
                method="PUT",
                path=_path("exchanges", exchange.vhost, exchange.name),
                body=_exchange_body(exchange),
                said=f"exchange {exchange.name}",
            )


def _exchange_body(exchange: Exchange) -> dict[str, JsonValue]:
    return {
        "type": exchange.type,
        "durable": True,
        "auto_delete": False,
        "internal": exchange.internal,
        "arguments": exchange.arguments,
    }


def _queues(wanted: Topology, seen: Observed) -> Iterator[Change]:
    there = _by_name(seen.queues)
    for queue in wanted.queues:
        if (queue.vhost, queue.name) not in there:
            yield Change(
                method="PUT",
                path=_path("queues", queue.vhost, queue.name),
                body={
                    "durable": True,
                    "auto_delete": False,
                    "arguments": queue.full_arguments,
                },
                said=f"queue {queue.name}",
            )


def _queue_difference(queue: Queue, body: Body) -> str:
    arguments = dict(body.get("arguments") or {})
    kind = str(body.get("type") or arguments.get("x-queue-type") or "classic")
    if kind != queue.type:
        return f"is a {kind} queue, not a {queue.type} one"
    wanted = queue.full_arguments
    arguments.setdefault("x-queue-type", kind)
    differing = sorted(
        name
        for name in {*arguments, *wanted}
        if arguments.get(name) != wanted.get(name)
    )
    return f"has another {', '.join(differing)}" if differing else ""


def _bindings(wanted: Topology, seen: Observed) -> Iterator[Change]:
    there = {_binding_key(body) for body in seen.bindings}
    for binding in wanted.bindings:
        if _binding_key(binding.model_dump()) not in there:
            yield Change(
                method="POST",
                path=_binding_path(binding),
                body={
                    "routing_key": binding.routing_key,
                    "arguments": binding.arguments,
                },
                said=f"binding {binding.source} -> {binding.destination}",
            )


def _binding_key(body: Body) -> tuple[str, ...]:
    arguments = sorted((body.get("arguments") or {}).items())
    keys = ("vhost", "source", "destination", "destination_type", "routing_key")
    return (*(str(body[key]) for key in keys), repr(arguments))


def _binding_path(binding: Binding) -> str:
    kind = binding.destination_type[0]
    return _path(
        "bindings", binding.vhost, "e", binding.source, kind, binding.destination
    )


def _policies(wanted: Topology, seen: Observed) -> Iterator[Change]:
    there = _by_name(seen.policies)
    declared = {(p.vhost, p.name): p for p in wanted.all_policies()}
    for key, policy in declared.items():
        if there.get(key) is None or _policy_body(policy) != _policy_seen(there[key]):
            yield Change(
                method="PUT",
                path=_path("policies", policy.vhost, policy.name),
                body=_policy_body(policy),
                said=f"policy {policy.name} of {policy.vhost}",
            )
    for vhost, name in sorted(set(there) - set(declared)):
        yield Change(
            method="DELETE",
            path=_path("policies", vhost, name),
            said=f"no policy {name} of {vhost} any more",
        )


def _policy_body(policy: Policy) -> dict[str, JsonValue]:
    return {
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "priority": policy.priority,
        "definition": policy.definition,
    }


def _policy_seen(body: Body) -> dict[str, Any]:
    return {
        key: body.get(key) for key in ("pattern", "apply-to", "priority", "definition")
    }
