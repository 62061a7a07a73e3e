"""
Packet filters as nft text: a router's address translation, the switch's anti-spoofing. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from fournines_sandbox.network.desired import EXTERNAL_DEVICE, RouterSpace, Spoofing

_HAIRPIN = "0x1"

_UNSPECIFIED = str(ipaddress.IPv4Address(0))
"""What a host that is about to ask for an address says it is."""


def router(space: RouterSpace, routable: str) -> str:
    """
    The script that replaces a router's filter and translation.

    Args:
        routable: The prefix that is announced to the outside and hence not translated.
    """
    outside = f'"{EXTERNAL_DEVICE}"'
    inbound = dict(space.floating)
    outbound = {fixed: floating for floating, fixed in space.floating}
    lines = [
        "table ip router {}",
        "delete table ip router",
        "table ip router {",
        "  chain prerouting {",
        "    type nat hook prerouting priority -100; policy accept;",
        *(
            [
                # A floating IP used from inside: the reply must come back through here.
                f"    iifname != {outside} ip daddr {{ {', '.join(inbound)} }} ct mark set {_HAIRPIN}",
                f"    dnat to ip daddr map {{ {_elements(inbound)} }}",
            ]
            if inbound
            else []
        ),
        "  }",
        "  chain postrouting {",
        "    type nat hook postrouting priority 100; policy accept;",
        f"    oifname != {outside} ct mark {_HAIRPIN} masquerade",
        f"    oifname != {outside} accept",
        "    ct status dnat accept",
        *([f"    snat to ip saddr map {{ {_elements(outbound)} }}"] if outbound else []),
        *(
            [f"    ip saddr != {routable} snat to {space.external_address}"]
            if space.external_address
            else []
        ),
        "  }",
        "  chain forward {",
        "    type filter hook forward priority 0; policy accept;",
        "    ct state established,related accept",
        f"    iifname {outside} ct status dnat accept",
        f"    iifname {outside} ip daddr {routable} accept",
        f"    iifname {outside} drop",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def switch(spoofing: Spoofing, taps: Mapping[str, str]) -> str:
    """
    The script that replaces the switch's anti-spoofing.

    Args:
        taps: Port id -> interface in the switch.
    """
    lines = [
        "table bridge ports {}",
        "delete table bridge ports",
        "table bridge ports {",
        "  chain prerouting {",
        "    type filter hook prerouting priority -300; policy accept;",
    ]
    closed = [f'"{taps[port_id]}"' for port_id in spoofing.closed]
    if closed:
        lines.append(f"    iifname {{ {', '.join(closed)} }} drop")
    if spoofing.macs:
        jumps = ", ".join(f'"{taps[port]}" : jump {taps[port]}' for port in spoofing.macs)
        lines.append(f"    iifname vmap {{ {jumps} }}")
    lines.append("  }")
    if closed:
        lines += [
            "  chain postrouting {",
            "    type filter hook postrouting priority 300; policy accept;",
            f"    oifname {{ {', '.join(closed)} }} drop",
            "  }",
        ]
    chains = []
    for port_id, macs in spoofing.macs.items():
        addresses = ", ".join((_UNSPECIFIED, *_collapsed(spoofing.addresses[port_id])))
        chains += [
            f"  chain {taps[port_id]} {{",
            f"    ether saddr != {{ {', '.join(macs)} }} drop",
            f"    ether type arp arp saddr ip {{ {addresses} }} accept",
            f"    ether type ip ip saddr {{ {addresses} }} accept",
            "    drop",
            "  }",
        ]
    # A chain must stand before the rule that jumps to it.
    return "\n".join([*lines[:3], *chains, *lines[3:], "}"]) + "\n"


def _elements(mapping: Mapping[str, str]) -> str:
    return ", ".join(f"{key} : {value}" for key, value in mapping.items())


def _collapsed(addresses: tuple[str, ...]) -> list[str]:
    """Overlapping prefixes in one set are an error to nft."""
    networks = (ipaddress.IPv4Network(item, strict=False) for item in addresses)
    return [str(network) for network in ipaddress.collapse_addresses(networks)]
