"""
Plugging: one Neutron port becomes a veth pair between a namespace and a bridge.

All bridges and all outer ends live in the switch namespace, so the host's own packet filter, bridge netfilter and
routes never see tenants' traffic. The kernel is the record: the outer end's alias says which port leads where, and the
reconciler in the Neutron process reads it from there.

A guarded port starts closed, by a packet filter inside its namespace but out of its guest's reach (the guest holds no
CAP_NET_ADMIN); the reconciler opens what the port's security groups allow, usually within milliseconds.

Everything here may be called twice.
"""

from __future__ import annotations

import fcntl
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fournines_sandbox.network import guard, kernel
from fournines_sandbox.network.nudge import nudge
from fournines_sandbox.site import Site

_SWITCH_SYSCTLS = {
    # Bridged frames are not to run through an IP packet filter: tenants' addresses may overlap.
    "net.bridge.bridge-nf-call-iptables": "0",
    "net.bridge.bridge-nf-call-ip6tables": "0",
    "net.bridge.bridge-nf-call-arptables": "0",
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
}


@dataclass(frozen=True, slots=True)
class Plug:
    """
    Where a port's veth pair leads.

    Args:
        port_id: Neutron's id of the port.
        netns: The namespace of the inner end.
        device: The inner end's name there.
        tap: The outer end's name in the switch namespace.
        index: The outer end's interface index: a replugged port has a new one.
    """

    port_id: str
    netns: str
    device: str
    tap: str
    index: int


def ensure_switch(site: Site) -> None:
    """
    Make the switch namespace and the host's leg on the external network.
    """
    kernel.ensure_netns(site.switch)
    kernel.set_sysctls(_SWITCH_SYSCTLS, site.switch)
    host = site.external_bridge
    gateway = f"{site.external_network[1]}/{site.external_network.prefixlen}"
    if not kernel.ip_json(f"link show dev {host}"):
        kernel.ip([f"link add {host} type veth peer name uplink netns {site.switch}"])
    kernel.ip(
        [
            f"link set {host} addrgenmode none",
            f"addr replace {gateway} dev {host}",
            f"link set {host} up",
            # Until a subnet of the pool has a route of its own, nothing for it may leave by the default gateway.
            f"route replace unreachable {site.routable_pool}",
        ]
    )
    kernel.ip(["link set uplink up"], site.switch)


def remove_host_leg(site: Site) -> None:
    """
    Take the host's leg away, and its word on the routable pool; absent is fine.
    """
    kernel.ip(
        [
            f"route del unreachable {site.routable_pool}",
            f"link delete {site.external_bridge}",
        ],
        force=True,
    )


def ensure_bridge(site: Site, network_id: str) -> str:
    """
    Make the bridge of a network.

    Returns:
        Its name in the switch namespace.
    """
    name = site.bridge(network_id)
    if kernel.ip_json(f"link show dev {name}", site.switch):
        return name
    if not kernel.netns_exists(site.switch):
        ensure_switch(site)
    with _one_at_a_time(site):
        if not kernel.ip_json(f"link show dev {name}", site.switch):
            kernel.ip(
                [
                    f"link add {name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                    f"link set {name} alias {network_id}",
                    f"link set {name} up",
                ],
                site.switch,
            )
    return name


def plug(
    site: Site,
    *,
    port_id: str,
    network_id: str,
    netns: str,
    mac: str,
    addresses: Sequence[str],
    gateway: str | None,
    mtu: int = 1450,
    device: str | None = None,
    guarded: bool = True,
) -> str:
    """
    Connect a port's namespace (made if absent) to its network and give it its addresses.

    Args:
        addresses: With their prefix lengths, `10.0.0.5/24`.
        gateway: Next hop of the default route; none leaves the namespace without one.
        device: Name of the interface in the namespace; the next free `ethN` by default.
        guarded: Whether security groups filter this port. Routers' ports are not guarded.

    Returns:
        The interface's name in the namespace.
    """
    bridge = ensure_bridge(site, network_id)
    kernel.ensure_netns(netns)
    known = _find(site, port_id)
    if known and known.netns != netns:
        unplug(site, port_id)
        known = None
    if known is None:
        device = device or _free_device(netns)
        if guarded:
            # Before the port can be seen: the reconciler opens it the moment it is, and only once.
            kernel.nft(guard.closed(device), netns)
        _connect(site, port_id, bridge, netns, device, mac, mtu)
    else:
        device = known.device
    lines = [f"addr replace {address} dev {device}" for address in addresses]
    lines.append(f"link set {device} up")
    if gateway:
        lines.append(f"route replace default via {gateway} dev {device}")
    kernel.ip(lines, netns)
    nudge(site)
    return device


def unplug(site: Site, port_id: str) -> None:
    """
    Disconnect a port; its namespace stays, for other ports may be plugged there.
    """
    known = _find(site, port_id)
    if known is None:
        return
    kernel.ip([f"link delete {known.tap}"], site.switch, force=True)
    if kernel.netns_exists(known.netns):
        kernel.nft(guard.removed(known.device), known.netns)
    nudge(site)


def plugs(site: Site) -> list[Plug]:
    """
    Every port plugged now, as the kernel has it.
    """
    found = (_parse(link) for link in kernel.ip_json("link show type veth", site.switch))
    return [item for item in found if item]


def remove_bridges_except(site: Site, network_ids: Container[str]) -> None:
    """
    Remove the bridges of networks that exist no longer.
    """
    for link in kernel.ip_json("link show type bridge", site.switch):
        if link.get("ifalias") not in network_ids:
            kernel.ip([f"link delete {link['ifname']}"], site.switch, force=True)


def _find(site: Site, port_id: str) -> Plug | None:
    links = kernel.ip_json(f"link show dev {site.tap(port_id)}", site.switch)
    return _parse(links[0]) if links else None


def _parse(link: dict[str, object]) -> Plug | None:
    words = str(link.get("ifalias", "")).split()
    if len(words) != 3:
        return None
    return Plug(
        port_id=words[0],
        netns=words[1],
        device=words[2],
        tap=str(link["ifname"]),
        index=int(str(link["ifindex"])),
    )


def _free_device(netns: str) -> str:
    taken = {link["ifname"] for link in kernel.ip_json("link show", netns)}
    return next(name for number in range(64) if (name := f"eth{number}") not in taken)


def _connect(
    site: Site, port_id: str, bridge: str, netns: str, device: str, mac: str, mtu: int
) -> None:
    tap = site.tap(port_id)
    kernel.ip([f"link delete {tap}"], site.switch, force=True)
    kernel.ip(
        [
            f"link add {tap} mtu {mtu} type veth"
            f" peer name {device} mtu {mtu} address {mac} netns {netns}",
            f'link set {tap} alias "{port_id} {netns} {device}"',
            f"link set {tap} master {bridge} up",
        ],
        site.switch,
    )
    # Tenants speak IPv4 here; without this the kernel would announce a link-local address on its own.
    kernel.ip([f"link set {device} addrgenmode none"], netns)


@contextmanager
def _one_at_a_time(site: Site) -> Iterator[None]:
    """Bridges are made by three processes; two of them may want the same one at once."""
    site.run.mkdir(parents=True, exist_ok=True)
    with (site.run / "network.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
