"""
Which statuses a load balancer's tree is to get once HAProxy runs what the tree asks for. Pure.

Octavia marks what a request changes as PENDING_*, and with it the load balancer, which is immutable until it is settled.
So the database itself says what is to be done, whoever asked and whether or not we were alive to hear it: everything
pending in the tree is settled together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from octavia.common import constants
from octavia_lib.common import constants as lib_constants

Statuses = dict[str, list[dict[str, str]]]
"""What the driver library takes: kind in the plural -> objects with their new statuses."""

_PENDING_CHANGES = (constants.PENDING_CREATE, constants.PENDING_UPDATE)

_SELF_JUDGED = (
    lib_constants.HEALTHMONITORS,
    lib_constants.L7POLICIES,
    lib_constants.L7RULES,
)
"""Kinds whose operating status is their admin state: HAProxy reports none for them."""


def objects(load_balancer: Any) -> Iterator[tuple[str, Any]]:
    """
    Everything in the tree with its kind, each object once, the load balancer last.
    """
    for listener in load_balancer.listeners:
        for policy in listener.l7policies:
            for rule in policy.l7rules:
                yield lib_constants.L7RULES, rule
            yield lib_constants.L7POLICIES, policy
        yield lib_constants.LISTENERS, listener
    for pool in load_balancer.pools:
        for member in pool.members:
            yield lib_constants.MEMBERS, member
        if pool.health_monitor:
            yield lib_constants.HEALTHMONITORS, pool.health_monitor
        yield lib_constants.POOLS, pool
    yield lib_constants.LOADBALANCERS, load_balancer


def is_pending(load_balancer: Any) -> bool:
    """
    Whether something waits to be settled.
    """
    return str(load_balancer.provisioning_status).startswith("PENDING_")


def settled(load_balancer: Any) -> Statuses:
    """
    The statuses after success: what was pending is ACTIVE, or DELETED.

    With the load balancer everything goes: a cascading delete marks the load balancer alone.
    """
    goes = load_balancer.provisioning_status == constants.PENDING_DELETE
    result: Statuses = {}
    for kind, item in objects(load_balancer):
        if goes or item.provisioning_status == constants.PENDING_DELETE:
            _add(result, kind, item, constants.DELETED)
        elif item.provisioning_status in _PENDING_CHANGES:
            entry = _add(result, kind, item, constants.ACTIVE)
            if kind in _SELF_JUDGED:
                entry[lib_constants.OPERATING_STATUS] = (
                    constants.ONLINE if item.enabled else constants.OFFLINE
                )
    return result


def failed(load_balancer: Any) -> Statuses:
    """
    The statuses after a failure: what was asked for is in ERROR, what it hangs on is as before.

    A new object is to blame before its parents, which Octavia marks PENDING_UPDATE along with it. The load balancer
    stays usable, so that the culprit can be deleted, unless it could not be made at all.
    """
    tree = list(objects(load_balancer))
    blamed = [item for kind, item in tree if item.provisioning_status == constants.PENDING_CREATE]
    result: Statuses = {}
    for kind, item in tree:
        status = item.provisioning_status
        if not str(status).startswith("PENDING_"):
            continue
        if kind == lib_constants.LOADBALANCERS:
            innocent = status == constants.PENDING_UPDATE
        else:
            innocent = bool(blamed) and status == constants.PENDING_UPDATE
        _add(result, kind, item, constants.ACTIVE if innocent else constants.ERROR)
    return result


def _add(result: Statuses, kind: str, item: Any, status: str) -> dict[str, str]:
    entry = {lib_constants.ID: item.id, lib_constants.PROVISIONING_STATUS: status}
    result.setdefault(kind, []).append(entry)
    return entry
