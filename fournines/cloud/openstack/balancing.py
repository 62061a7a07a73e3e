"""
Octavia's request bodies, and what its answers mean. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fournines.cloud.openstack import marks
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

Body = dict[str, Any]


def creation(spec: LoadBalancerSpec, subnet: str, *, prometheus: bool = True) -> Body:
    """
    The fully populated create: one call instead of one per part, each of which would have to wait for the one before.
    """
    body: Body = {
        "name": spec.name,
        "description": marks.described(spec.owner),
        "vip_subnet_id": subnet,
        "tags": list(spec.owner.tags()),
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


def marking(owner: Owner) -> Body:
    """
    A load balancer's mark, brought up to date.
    """
    return {
        "loadbalancer": {
            "description": marks.described(owner),
            "tags": list(owner.tags()),
        }
    }


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


def read_pool(body: Body, members: Iterable[Body]) -> Pool:
    """
    A pool as the domain knows it.
    """
    return Pool(
        id=body["id"],
        name=body["name"],
        members=tuple(read_member(one) for one in members),
        role=marks.role(body),
    )


def read_load_balancer(
    body: Body,
    listeners: Iterable[Body],
    pools: Iterable[Pool],
    floating_address: str | None = None,
) -> LoadBalancer:
    """
    A load balancer as the domain knows it.
    """
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
            )
            for one in listeners
        ),
        pools=standing_by(tuple(pools)),
    )
