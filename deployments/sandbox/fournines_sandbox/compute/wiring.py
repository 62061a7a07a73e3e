"""
Nova's network information as plugs of this cloud's network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fournines_sandbox.network import plug
from fournines_sandbox.site import Site

_MTU = 1450


@dataclass(frozen=True, slots=True)
class Wire:
    """
    One interface of an instance: the port it belongs to and how it is set.
    """

    port_id: str
    network_id: str
    mac: str
    addresses: tuple[str, ...]
    gateway: str | None
    mtu: int
    nameservers: tuple[str, ...]

    @classmethod
    def from_vif(cls, vif: Any, *, first: bool) -> Wire:
        """
        From Nova's VIF; only the first interface leads to the default gateway.
        """
        network = vif["network"]
        addresses: list[str] = []
        nameservers: list[str] = []
        gateway = None
        for subnet in network["subnets"]:
            length = str(subnet["cidr"]).partition("/")[2]
            if subnet["version"] != 4:
                continue
            addresses += [f"{address['address']}/{length}" for address in subnet["ips"]]
            nameservers += [server["address"] for server in subnet["dns"] or []]
            next_hop = subnet["gateway"] and subnet["gateway"]["address"]
            if first and gateway is None and next_hop:
                gateway = next_hop
        return cls(
            port_id=vif["id"],
            network_id=network["id"],
            mac=vif["address"],
            addresses=tuple(addresses),
            gateway=gateway,
            mtu=int(network.get_meta("mtu") or _MTU),
            nameservers=tuple(nameservers),
        )

    def plug(self, site: Site, netns: str) -> None:
        """Connect it to an instance's namespace; idempotent."""
        plug.plug(
            site,
            port_id=self.port_id,
            network_id=self.network_id,
            netns=netns,
            mac=self.mac,
            addresses=self.addresses,
            gateway=self.gateway,
            mtu=self.mtu,
        )

    def unplug(self, site: Site) -> None:
        """Disconnect it; idempotent."""
        plug.unplug(site, self.port_id)


def wires(network_info: Any) -> list[Wire]:
    """All interfaces of an instance, in order."""
    return [Wire.from_vif(vif, first=index == 0) for index, vif in enumerate(network_info or [])]
