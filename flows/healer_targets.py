"""
Targets for Prometheus' HTTP service discovery, from the healer's view: load balancers, members, and pages to probe.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts import conventions as c
from flows.healer_view import View
from fournines.model.desired import Group, Platform, Service
from fournines.model.inventory import Instance, Inventory

Target = dict[str, list[str] | dict[str, str]]
"""One entry of a discovery answer: `targets` and `labels`."""

PROMETHEUS = "PROMETHEUS"
"""Octavia's protocol of listeners that serve metrics."""


def load_balancers(view: View) -> list[Target]:
    """
    Metrics of load balancers that can serve some.
    """
    return [
        _target(
            f"{balancer.floating_address or balancer.vip_address}:{listener.port}",
            {c.PLATFORM: platform.name, c.SERVICE: service.name},
        )
        for platform, service, inventory in _services(view)
        for spec in service.load_balancers
        if (balancer := inventory.load_balancer(spec.name)) is not None
        if balancer.floating_address or balancer.vip_address
        for listener in balancer.listeners
        if listener.protocol == PROMETHEUS
    ]


def members(view: View) -> list[Target]:
    """
    Metrics pages of instances.
    """
    found = []
    for platform, service, group, instance in instances(view):
        probe = group.probe
        if probe is None or probe.metrics_path is None or instance.address is None:
            continue
        labels = member_labels(platform, service, group, instance)
        labels["__metrics_path__"] = probe.metrics_path
        labels["__scheme__"] = probe.scheme
        found.append(_target(f"{instance.address}:{probe.port}", labels))
    return found


def exporters(view: View) -> list[Target]:
    """
    Metrics of exporters beside the engines.
    """
    return [
        _target(
            f"{instance.address}:{port}",
            member_labels(platform, service, group, instance),
        )
        for platform, service, group, instance in instances(view)
        if group.probe is not None and instance.address is not None
        for port in group.probe.exporter_ports
    ]


def probes(view: View) -> list[Target]:
    """
    Pages that users use, of each instance, for the blackbox exporter.
    """
    return [
        _target(
            f"{group.probe.scheme}://{instance.address}:{group.probe.port}{group.probe.path}",
            member_labels(platform, service, group, instance),
        )
        for platform, service, group, instance in instances(view)
        if group.probe is not None and instance.address is not None
    ]


def instances(view: View) -> Iterator[tuple[Platform, Service, Group, Instance]]:
    """
    Instances that serve or should: members of their group's pool, or all of a group that has none; not those that boot.
    """
    for platform, service, inventory in _services(view):
        for group in service.groups:
            pool = view.pool(platform.name, group)
            for instance in inventory.of_group(service.name, group.name):
                if group.memberships and (
                    pool is None or pool[1].member(instance.name) is None
                ):
                    continue
                if view.is_watched(instance):
                    yield platform, service, group, instance


def member_labels(
    platform: Platform, service: Service, group: Group, instance: Instance
) -> dict[str, str]:
    """
    The labels by which alerts name a member.
    """
    slot = instance.owner.slot if instance.owner else None
    return {
        c.PLATFORM: platform.name,
        c.SERVICE: service.name,
        c.GROUP: group.name,
        c.SLOT: "" if slot is None else str(slot),
        c.INSTANCE_NAME: instance.name,
    }


def _services(view: View) -> Iterator[tuple[Platform, Service, Inventory]]:
    for platform in view.platforms:
        inventory = view.inventory(platform.name)
        for service in platform.services if inventory else ():
            assert inventory is not None
            yield platform, service, inventory


def _target(address: str, labels: dict[str, str]) -> Target:
    return {"targets": [address], "labels": labels}
