"""
Octavia's request bodies, and what its answers mean. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fournines.cloud.openstack import marks
from fournines.model import traits
from fournines.model.inventory import Listener, LoadBalancer, Member, Pool
from fournines.model.ownership import Owner
from fournines.model.specification import (
    HealthMonitorSpec,
    ListenerSpec,
    LoadBalancerSpec,
    MemberSpec,
    PoolSpec,
)
from fournines.model.standby import standing_by
from fournines.model.traits import Traits

Body = dict[str, Any]

UNLIMITED = -1
"""Octavia's word for a listener that counts no connections."""


def creation(spec: LoadBalancerSpec, subnet: str, *, prometheus: bool = True) -> Body:
    """
    The fully populated create: one call instead of one per part, each of which would have to wait for the one before.
    """
    body: Body = {
        "name": spec.name,
        "vip_subnet_id": subnet,
        **marks.of_balancer(spec.owner, unmeasured=not prometheus),
        "pools": [
            {**pool(one), "protocol": one.protocol, "healthmonitor": monitor(one)}
            for one in spec.pools
        ],
        "listeners": [
            {
                **said(listener(one)),
                "protocol": one.protocol,
                "protocol_port": one.port,
                **({"default_pool": {"name": one.pool}} if one.pool else {}),
            }
            for one in spec.listeners
            if prometheus or one.protocol != "PROMETHEUS"
        ],
    }
    if spec.provider:
        body["provider"] = spec.provider
    return {"loadbalancer": body}


def marking(owner: Owner, *, unmeasured: bool) -> Body:
    """
    A load balancer's mark, brought up to date.
    """
    return {"loadbalancer": marks.of_balancer(owner, unmeasured=unmeasured)}


def listener(spec: ListenerSpec) -> Body:
    """
    What of a listener can be changed.
    """
    body: Body = {"name": spec.name}
    if spec.protocol != "PROMETHEUS":
        body |= {
            "timeout_client_data": spec.timeout_client_data_ms,
            "timeout_member_connect": spec.timeout_member_connect_ms,
            "timeout_member_data": spec.timeout_member_data_ms,
        }
    # Sent when empty, too: "anybody" must take back what was narrower before.
    body["allowed_cidrs"] = list(spec.allowed_cidrs)
    return body


AS_MADE: Body = {"admin_state_up": True}
"""What everything is when it is made, and may be set otherwise by somebody later."""


def kept_listener(spec: ListenerSpec) -> Body:
    """
    What of a listener is held, beside what it is made with.
    """
    return {**listener(spec), **AS_MADE, "connection_limit": UNLIMITED}


def said(body: Body) -> Body:
    """
    Without what a new listener is anyway: a provider without allowed_cidrs refuses the very word.
    """
    return {key: value for key, value in body.items() if value != []}


def pool(spec: PoolSpec) -> Body:
    """
    What of a pool can be changed.
    """
    persistence = spec.session_persistence
    body: Body = {
        "name": spec.name,
        "lb_algorithm": spec.algorithm,
        "session_persistence": {"type": persistence} if persistence else None,
    }
    return {**body, "description": marks.of_role(spec.role)} if spec.role else body


def monitor(spec: PoolSpec) -> Body:
    """
    A pool's health monitor.
    """
    return {
        "name": spec.name,
        "type": spec.health.kind,
        **monitor_settings(spec.health),
    }


def monitor_settings(spec: HealthMonitorSpec) -> Body:
    """
    What of a health monitor can be changed.
    """
    body: Body = {
        "delay": spec.delay_seconds,
        "timeout": spec.timeout_seconds,
        "max_retries": spec.rise,
        "max_retries_down": spec.fall,
    }
    if spec.kind in {"HTTP", "HTTPS"}:
        body |= {
            "http_method": spec.method,
            "url_path": spec.path,
            "expected_codes": spec.expected_codes,
        }
    return body


def member(spec: MemberSpec, address: str, subnet: str | None) -> Body:
    """
    A member, whole: a batch update resets what it does not name.
    """
    body: Body = {
        "name": spec.instance,
        "address": address,
        "protocol_port": spec.port,
        "weight": spec.weight,
    }
    if spec.monitor_port:
        body["monitor_port"] = spec.monitor_port
    if spec.backup:
        body["backup"] = True
    if subnet:
        body["subnet_id"] = subnet
    return body


def kept(body: Body) -> Body:
    """
    A member that is there, as a batch update wants to hear of it to leave it as it is.
    """
    keys = (
        "name",
        "address",
        "protocol_port",
        "weight",
        "subnet_id",
        "monitor_address",
        "monitor_port",
        "tags",
    )
    whole = {key: body[key] for key in keys if body.get(key) is not None}
    if body.get("backup"):
        whole["backup"] = True
    return {**whole, "admin_state_up": body.get("admin_state_up", True)}


def listener_traits(body: Body, pools: Mapping[str, str]) -> Traits:
    """
    What a listener is set to. `pools` has the names of its load balancer's pools by id.
    """
    pool_id = body.get("default_pool_id")
    limit = body.get("connection_limit", UNLIMITED)
    cidrs = body.get("allowed_cidrs") or []
    found: Traits = {
        "protocol": body["protocol"],
        "port": body["protocol_port"],
        "admin_up": body.get("admin_state_up", True),
        "connection_limit": None if limit == UNLIMITED else limit,
        "allowed_cidrs": [*sorted(str(one) for one in cidrs)],
        "pool": pools.get(pool_id, pool_id) if pool_id else None,
    }
    for time_out in ("client_data", "member_connect", "member_data"):
        if f"timeout_{time_out}" in body:
            found[f"timeout_{time_out}_ms"] = body[f"timeout_{time_out}"]
    return found


def pool_traits(body: Body, watch: Body | None) -> Traits:
    """
    What a pool and its health monitor are set to. A monitor of which only the id is known is not told of.
    """
    persistence = body.get("session_persistence") or {}
    found: Traits = {
        "protocol": body["protocol"],
        "admin_up": body.get("admin_state_up", True),
        "algorithm": body["lb_algorithm"],
        "session_persistence": persistence.get("type"),
    }
    if watch is None:
        return found if body.get("healthmonitor_id") else found | traits.NO_CHECK
    found |= {
        "check": watch["type"],
        "check_admin_up": watch.get("admin_state_up", True),
        "check_delay_seconds": watch["delay"],
        "check_timeout_seconds": watch["timeout"],
        "check_rise": watch["max_retries"],
        "check_fall": watch["max_retries_down"],
    }
    if watch["type"] in traits.ASKED_OVER_HTTP:
        found |= {
            "check_method": watch.get("http_method"),
            "check_path": watch.get("url_path"),
            "check_expected_codes": watch.get("expected_codes"),
        }
    return found


def differences(wanted: Body, present: Body) -> Body:
    """
    Of what is wanted, what is not so.
    """
    return {
        key: value
        for key, value in wanted.items()
        if _comparable(present.get(key)) != _comparable(value)
    }


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        # Octavia says null for "no restriction".
        return sorted(value) or None
    if isinstance(value, dict):
        return {key: one for key, one in value.items() if one is not None}
    return value


def read_member(body: Body) -> Member:
    """
    A member as the domain knows it.
    """
    return Member(
        id=body["id"],
        name=body.get("name") or "",
        address=body["address"],
        port=body["protocol_port"],
        weight=body["weight"],
        operating_status=body["operating_status"],
        provisioning_status=body["provisioning_status"],
        admin_up=body.get("admin_state_up", True),
    )


def read_pool(
    body: Body, members: Iterable[Body], looked_at: Traits | None = None
) -> Pool:
    """
    A pool as the domain knows it.
    """
    return Pool(
        id=body["id"],
        name=body["name"],
        members=tuple(read_member(one) for one in members),
        role=marks.role(body),
        traits=looked_at or {},
    )


def read_load_balancer(
    body: Body,
    listeners: Iterable[Body],
    pools: Iterable[Pool],
    floating_address: str | None = None,
    *,
    closely: bool = False,
) -> LoadBalancer:
    """
    A load balancer as the domain knows it.
    """
    pools = tuple(pools)
    names = {one.id: one.name for one in pools} if closely else {}
    return LoadBalancer(
        id=body["id"],
        name=body["name"],
        owner=marks.owner(body),
        provisioning_status=body["provisioning_status"],
        operating_status=body["operating_status"],
        vip_address=body.get("vip_address"),
        vip_port_id=body.get("vip_port_id"),
        floating_address=floating_address,
        listeners=tuple(
            Listener(
                id=one["id"],
                name=one["name"],
                protocol=one["protocol"],
                port=one["protocol_port"],
                pool_id=one.get("default_pool_id"),
                traits=listener_traits(one, names) if closely else {},
            )
            for one in listeners
        ),
        pools=standing_by(pools),
        unmeasured=marks.is_unmeasured(body),
    )
