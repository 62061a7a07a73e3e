"""
A checked definition becomes a service: names, owners and digests are given here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from blueprints.catalogue import Blueprint
from blueprints.definition import Definition, EndpointDefinition, GroupDefinition
from fournines.model import names
from fournines.model.desired import Group, Membership, Service
from fournines.model.ownership import Owner
from fournines.model.specification import (
    FloatingIpSpec,
    ListenerSpec,
    LoadBalancerSpec,
    PoolSpec,
    SecurityGroupSpec,
    SecurityRule,
    ServerGroupSpec,
)

_PATIENCE_MS = {"HTTP": (50_000, 2_000), "TCP": (3_600_000, 3_600_000)}
"""For a client's and a member's data. A page that takes longer is lost; a session that is silent is none of our business for an hour."""

S = TypeVar("S", LoadBalancerSpec, SecurityGroupSpec)
Policy = Literal["anti-affinity", "soft-anti-affinity"]

_POLICIES: dict[str, Policy] = {
    "strict": "anti-affinity",
    "soft": "soft-anti-affinity",
}


def assemble(
    definition: Definition,
    *,
    user_data: Mapping[str, str],
    platform: str,
    name: str,
    blueprint: Blueprint,
    parameters: dict[str, Any],
    external_network: str | None,
) -> Service:
    """
    The service that a definition asks for.
    """
    owner = Owner(platform=platform, service=name)
    balancers = _load_balancers(definition, owner)
    addresses = tuple(
        FloatingIpSpec(
            name=names.of_service(platform, name, "ip"),
            owner=owner,
            load_balancer=balancer.name,
            external_network=external_network,
        )
        for balancer in balancers
        if definition.public
    )
    return Service(
        platform=platform,
        name=name,
        blueprint=blueprint.name,
        blueprint_version=blueprint.version,
        parameters=parameters,
        groups=tuple(
            _group(group_name, group, definition, user_data[group_name], owner)
            for group_name, group in definition.groups.items()
        ),
        load_balancers=balancers,
        floating_ips=addresses,
        objectives=definition.objectives,
        depends_on=definition.depends_on,
        outputs=definition.outputs,
        offers=definition.offers,
    )


def _noun(owner: Owner, noun: str) -> str:
    assert owner.service is not None
    return names.of_service(owner.platform, owner.service, noun)


def _group(
    name: str,
    group: GroupDefinition,
    definition: Definition,
    user_data: str,
    owner: Owner,
) -> Group:
    mine = owner.model_copy(update={"group": name})
    return Group(
        name=name,
        identity=group.identity,
        count=group.count,
        image=group.image,
        flavor=group.flavor,
        network=names.shared(owner.platform, "network"),
        zones=group.zones,
        security_group=_security_group(group, _noun(owner, name), mine),
        server_group=_server_group(group, _noun(owner, name), mine),
        user_data=user_data,
        volume_size_gb=group.volume_size_gb,
        memberships=_memberships(name, definition, owner),
        probe=group.probe,
        healing=group.healing,
        surge=group.surge,
        drain_seconds=group.drain_seconds,
    )


def _memberships(
    name: str, definition: Definition, owner: Owner
) -> tuple[Membership, ...]:
    """
    One for each pool; endpoints that share a pool agree on what is said of it here (blueprints.rules).
    """
    found = {
        pool_noun(endpoint): Membership(
            load_balancer=_noun(owner, "lb"),
            pool=_noun(owner, pool_noun(endpoint)),
            port=endpoint.member_port,
            monitor_port=endpoint.monitor_port,
            role=endpoint.role,
        )
        for endpoint in definition.endpoints.values()
        if endpoint.group == name
    }
    return tuple(found[noun] for noun in sorted(found))


def pool_noun(endpoint: EndpointDefinition) -> str:
    """
    What the pool of an endpoint is called after: its group, and the role when there is one.
    """
    return f"{endpoint.group}-{endpoint.role}" if endpoint.role else endpoint.group


def _security_group(
    group: GroupDefinition, name: str, owner: Owner
) -> SecurityGroupSpec:
    rules = tuple(
        SecurityRule(
            transport=port.transport,
            port_min=port.port,
            port_max=port.port_max or port.port,
            remote_cidr=port.cidr,
        )
        for port in group.ports
    )
    return _with_digest(SecurityGroupSpec(name=name, owner=owner, rules=rules))


def _server_group(
    group: GroupDefinition, name: str, owner: Owner
) -> ServerGroupSpec | None:
    policy = _POLICIES.get(group.anti_affinity)
    return ServerGroupSpec(name=name, owner=owner, policy=policy) if policy else None


def _load_balancers(
    definition: Definition, owner: Owner
) -> tuple[LoadBalancerSpec, ...]:
    if not definition.endpoints:
        return ()
    listeners = [
        _listener(name, endpoint, owner)
        for name, endpoint in definition.endpoints.items()
    ]
    metrics = definition.metrics
    if metrics.enabled:
        listeners.append(
            ListenerSpec(
                name=_noun(owner, "metrics"),
                protocol="PROMETHEUS",
                port=metrics.port,
                allowed_cidrs=metrics.allowed_cidrs,
            )
        )
    pools = {
        pool_noun(endpoint): PoolSpec(
            name=_noun(owner, pool_noun(endpoint)),
            protocol=endpoint.protocol,
            algorithm=endpoint.algorithm,
            session_persistence=endpoint.session_persistence,
            health=endpoint.health,
            role=endpoint.role,
        )
        for endpoint in definition.endpoints.values()
    }
    spec = LoadBalancerSpec(
        name=_noun(owner, "lb"),
        owner=owner,
        network=names.shared(owner.platform, "network"),
        listeners=tuple(listeners),
        pools=tuple(pools.values()),
        provider=definition.provider,
    )
    return (_with_digest(spec),)


def _listener(name: str, endpoint: EndpointDefinition, owner: Owner) -> ListenerSpec:
    client_ms, member_ms = _PATIENCE_MS[endpoint.protocol]
    return ListenerSpec(
        name=_noun(owner, name),
        protocol=endpoint.protocol,
        port=endpoint.port,
        pool=_noun(owner, pool_noun(endpoint)),
        timeout_client_data_ms=endpoint.timeouts.client_data_ms or client_ms,
        timeout_member_connect_ms=endpoint.timeouts.member_connect_ms,
        timeout_member_data_ms=endpoint.timeouts.member_data_ms or member_ms,
        allowed_cidrs=endpoint.allowed_cidrs,
    )


def _with_digest(spec: S) -> S:
    """
    The same, its owner carrying the digest of the content: how a change is noticed later.
    """
    owner = spec.owner.model_copy(update={"digest": spec.content_digest()})
    return spec.model_copy(update={"owner": owner})
