"""
The packet filter of one guarded port, as nft text. Pure.

One table per port inside the port's own namespace: connection tracking there sees this port's traffic alone, so
overlapping tenant networks cannot meet. Ingress is judged before any address translation in the namespace, egress
after all of it but source NAT, so what runs behind the port cannot change the verdict. Neutron's semantics: replies pass,
everything else needs a rule; refusals are silent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One security group rule as it applies to a port.

    Args:
        ingress: Towards the port, or from it.
        family: 4 or 6.
        protocol: Neutron's name or number, none for any.
        port_min: First port, or ICMP type.
        port_max: Last port, or ICMP code.
        remotes: Peers' prefixes; none means anyone, an empty tuple nobody (an empty remote group).
    """

    ingress: bool
    family: int
    protocol: str | None
    port_min: int | None
    port_max: int | None
    remotes: tuple[str, ...] | None


_PORT_PROTOCOLS = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136}
_OTHER_PROTOCOLS = {
    "ah": 51,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "icmp": 1,
    "icmpv6": 58,
    "igmp": 2,
    "ipip": 4,
    "ipv6-encap": 41,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ipv6-route": 43,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "vrrp": 112,
}
_NUMBERS = _PORT_PROTOCOLS | _OTHER_PROTOCOLS


def table(device: str) -> str:
    """
    Name of the table that guards a device.
    """
    return f"guard-{device}"


def removed(device: str) -> str:
    """
    The script that leaves a device unguarded.
    """
    name = table(device)
    return f"table inet {name} {{}}\ndelete table inet {name}\n"


def closed(device: str) -> str:
    """
    The script that lets nothing pass but replies: a guarded port's state until its rules are known.
    """
    return rendered(device, ())


def rendered(device: str, rules: Iterable[Rule]) -> str:
    """
    The script that replaces a device's guard by these rules, atomically; established connections survive.
    """
    wanted = sorted(set(rules), key=str)
    ingress = [_statement(rule) for rule in wanted if rule.ingress]
    egress = [_statement(rule) for rule in wanted if not rule.ingress]
    lines = [
        removed(device).rstrip(),
        f"table inet {table(device)} {{",
        *_chain("ingress", "prerouting", -110, f'iifname != "{device}" accept', ingress),
        *_chain("egress", "postrouting", 0, f'oifname != "{device}" accept', egress),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _chain(
    name: str, hook: str, priority: int, others: str, statements: list[str | None]
) -> list[str]:
    return [
        f"  chain {name} {{",
        f"    type filter hook {hook} priority {priority}; policy drop;",
        f"    {others}",
        "    ct state established,related accept",
        "    ct state invalid drop",
        *(f"    {statement}" for statement in statements if statement),
        "  }",
    ]


def _statement(rule: Rule) -> str | None:
    if rule.remotes is not None and not rule.remotes:
        return None
    parts = [f"meta nfproto ipv{rule.family}"]
    if rule.remotes is not None:
        ip = "ip" if rule.family == 4 else "ip6"
        side = "saddr" if rule.ingress else "daddr"
        parts.append(f"{ip} {side} {{ {', '.join(rule.remotes)} }}")
    parts.extend(_protocol(rule))
    return " ".join([*parts, "accept"])


def _protocol(rule: Rule) -> list[str]:
    if rule.protocol is None:
        return []
    number = _NUMBERS.get(rule.protocol.lower()) or int(rule.protocol)
    if number == 1 and rule.family == 6:
        number = 58
    parts = [f"meta l4proto {number}"]
    if number in (1, 58):
        icmp = "icmp" if number == 1 else "icmpv6"
        if rule.port_min is not None:
            parts.append(f"{icmp} type {rule.port_min}")
        if rule.port_max is not None:
            parts.append(f"{icmp} code {rule.port_max}")
    elif number in _PORT_PROTOCOLS.values() and rule.port_min is not None:
        last = rule.port_max if rule.port_max is not None else rule.port_min
        parts.append(f"th dport {rule.port_min}-{last}")
    return parts
