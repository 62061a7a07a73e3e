"""
Applying a router's desired state to its namespace, and the host's routes to the routers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fournines_sandbox.network import kernel, plug, translation
from fournines_sandbox.network.desired import EXTERNAL_DEVICE, Leg, RouterSpace
from fournines_sandbox.network.plug import Plug
from fournines_sandbox.site import Site

_OURS = "99"
"""Routing protocol number that marks the routes made here."""

_ROUTER_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv6.conf.all.disable_ipv6": "1",
    # One router carries all connections of a load test.
    "net.netfilter.nf_conntrack_tcp_timeout_time_wait": "5",
}


def apply(site: Site, space: RouterSpace, stale: Iterable[Plug]) -> None:
    """
    Bring one router's namespace in line.

    Args:
        stale: Ports plugged there that no longer belong to it.
    """
    if kernel.ensure_netns(space.netns):
        kernel.set_sysctls(_ROUTER_SYSCTLS, space.netns)
    for item in stale:
        plug.unplug(site, item.port_id)
    for leg in space.legs:
        plug.plug(
            site,
            port_id=leg.port_id,
            network_id=leg.network_id,
            netns=space.netns,
            mac=leg.mac,
            addresses=leg.addresses,
            gateway=None,
            mtu=leg.mtu,
            device=leg.device,
            guarded=False,
        )
    kernel.nft(translation.router(space, str(site.routable_pool)), space.netns)
    _addresses(space)
    _routes(space)


def route_host(site: Site, routes: Mapping[str, str]) -> None:
    """
    Make the host's routes to routable subnets these, and no others of ours.
    """
    device = site.external_bridge
    present = {
        route["dst"]: route.get("gateway")
        for route in kernel.ip_json(f"route show dev {device} proto {_OURS}")
    }
    lines = [
        f"route del {cidr} dev {device} proto {_OURS}" for cidr in present.keys() - routes.keys()
    ]
    lines += [
        f"route replace {cidr} via {via} dev {device} proto {_OURS}"
        for cidr, via in routes.items()
        if present.get(cidr) != via
    ]
    kernel.ip(lines, force=True)


def forget_neighbours(site: Site, spaces: Iterable[str]) -> None:
    """
    Make host and routers ask anew who holds a floating address: it may have moved to another router.
    """
    kernel.ip([f"neigh flush dev {site.external_bridge}"], force=True)
    for netns in spaces:
        kernel.ip([f"neigh flush dev {EXTERNAL_DEVICE}"], netns, force=True)


def _addresses(space: RouterSpace) -> None:
    """Drop what an earlier state left, add floating addresses to the external leg."""
    wanted = {leg.device: _wanted(leg, space) for leg in space.legs}
    lines = []
    for link in kernel.ip_json("addr show", space.netns):
        device = link["ifname"]
        present = {
            f"{item['local']}/{item['prefixlen']}"
            for item in link["addr_info"]
            if item["family"] == "inet"
        }
        if device in wanted:
            lines += [f"addr del {item} dev {device}" for item in present - wanted[device]]
            lines += [f"addr add {item} dev {device}" for item in sorted(wanted[device] - present)]
    kernel.ip(lines, space.netns, force=True)


def _wanted(leg: Leg, space: RouterSpace) -> set[str]:
    floating = [f"{address}/32" for address, _ in space.floating]
    return {*leg.addresses, *(floating if leg.device == EXTERNAL_DEVICE else [])}


def _routes(space: RouterSpace) -> None:
    wanted = dict(space.routes)
    if space.default_via and any(leg.device == EXTERNAL_DEVICE for leg in space.legs):
        wanted.setdefault("default", space.default_via)
    present = [route["dst"] for route in kernel.ip_json(f"route show proto {_OURS}", space.netns)]
    lines = [f"route del {item} proto {_OURS}" for item in present if item not in wanted]
    lines += [f"route replace {item} via {via} proto {_OURS}" for item, via in wanted.items()]
    kernel.ip(lines, space.netns, force=True)
