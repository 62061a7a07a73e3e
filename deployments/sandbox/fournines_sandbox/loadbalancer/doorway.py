"""
Where a load balancer meets the network: its namespace, its VIP's port, and what may come in.

An amphora's security group lets in its listeners' ports and nothing else, from their allowed CIDRs. Here the same is
said by a small packet filter in the namespace: it judges only the first packet of a connection, so it costs nothing
afterwards. What was learned from Neutron is kept on disk, because after an unclean death Octavia starts beside Neutron.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from octavia.common import utils as octavia_utils

from fournines_sandbox.loadbalancer.render import served_listeners
from fournines_sandbox.network import kernel
from fournines_sandbox.network.plug import plug, unplug
from fournines_sandbox.site import Site

DEVICE = "vip"
TABLE = "fournines-listeners"


@dataclass(frozen=True, slots=True)
class Port:
    """
    What plugging a VIP's port takes.
    """

    port_id: str
    network_id: str
    mac: str
    addresses: tuple[str, ...]
    gateway: str | None
    mtu: int


def learn(vip: Any) -> Port:
    """
    Ask Neutron about a VIP's port.

    Raises:
        octavia.network.base.NetworkException: Neutron does not know it, or does not answer.
    """
    network_driver = octavia_utils.get_network_driver()
    port = network_driver.get_port(vip.port_id)
    addresses, gateway = [], None
    for fixed in port.fixed_ips:
        subnet = network_driver.get_subnet(fixed.subnet_id)
        length = ipaddress.ip_network(subnet.cidr).prefixlen
        addresses.append(f"{fixed.ip_address}/{length}")
        if fixed.subnet_id == vip.subnet_id:
            gateway = subnet.gateway_ip
    mtu = network_driver.get_network(port.network_id).mtu
    return Port(port.id, port.network_id, port.mac_address, tuple(addresses), gateway, mtu)


def port_of(vip: Any, remembered: Path) -> Port:
    """
    What is remembered about a VIP's port, or Neutron's answer, which is then remembered.
    """
    try:
        known = json.loads(remembered.read_text())
        if known["port_id"] == vip.port_id:
            return Port(**{**known, "addresses": tuple(known["addresses"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        pass  # not asked yet, or written by another release
    port = learn(vip)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(json.dumps(asdict(port)))
    return port


def open_door(site: Site, load_balancer: Any, remembered: Path) -> None:
    """
    Plug the VIP and let in what the listeners want; may be repeated.
    """
    port = port_of(load_balancer.vip, remembered)
    netns = site.netns("lb", load_balancer.id)
    plug(
        site,
        port_id=port.port_id,
        network_id=port.network_id,
        netns=netns,
        mac=port.mac,
        addresses=port.addresses,
        gateway=port.gateway,
        mtu=port.mtu,
        device=DEVICE,
        guarded=False,
    )
    kernel.nft(rules(load_balancer), netns)


def close_door(site: Site, load_balancer: Any) -> None:
    """
    Take the VIP off the network; may be repeated.
    """
    if load_balancer.vip and load_balancer.vip.port_id:
        unplug(site, load_balancer.vip.port_id)
    kernel.delete_netns(site.netns("lb", load_balancer.id))


def rules(load_balancer: Any) -> str:
    """
    The packet filter's text, which replaces what was there. Pure.
    """
    accepted = [
        f"        {source}tcp dport {listener.protocol_port} accept"
        for listener in served_listeners(load_balancer)
        for source in _sources([allowed.cidr for allowed in listener.allowed_cidrs])
    ]
    return "\n".join(
        [
            f"table inet {TABLE}",
            f"delete table inet {TABLE}",
            f"table inet {TABLE} {{",
            "    chain input {",
            "        type filter hook input priority 0; policy accept;",
            f'        iifname != "{DEVICE}" accept',
            "        tcp flags & (fin|syn|rst|ack) != syn accept",
            *sorted(accepted),
            "        tcp flags & (fin|syn|rst|ack) == syn drop",
            "    }",
            "}",
            "",
        ]
    )


def _sources(cidrs: list[str]) -> list[str]:
    # One match per address family; without CIDRs anyone may come.
    matches = []
    for family, colon in (("ip", False), ("ip6", True)):
        if mine := sorted(cidr for cidr in cidrs if (":" in cidr) is colon):
            matches.append(f"{family} saddr {{ {', '.join(mine)} }} ")
    return matches or [""]
