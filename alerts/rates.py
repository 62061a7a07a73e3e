"""
How often somebody may knock: token buckets per source, in bounded memory. Pure: the moment is an argument.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

SOURCES_MAX = 1_000
"""Sources remembered for their rate; the longest unheard is forgotten first."""

_NETWORK_BITS = 64
"""One host of IPv6 owns a /64 and may speak from every address of it."""


@dataclass(slots=True)
class Bucket:
    """
    A token bucket that holds one second's worth.
    """

    rate: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        """
        Whether one more is within the rate.
        """
        self.left = min(self.rate, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class Rates:
    """
    One bucket per source, and where `total` is given one over all: who speaks from many addresses is still one too many.
    """

    rate: float
    total: float | None = None
    buckets: dict[str, Bucket] = field(default_factory=dict)
    together: Bucket | None = None

    def take(self, source: str, now: float) -> bool:
        """
        Whether this source is within its rate.
        """
        bucket = self.buckets.pop(source, None) or Bucket(self.rate, self.rate, now)
        self.buckets[source] = bucket
        if len(self.buckets) > SOURCES_MAX:
            del self.buckets[next(iter(self.buckets))]
        return bucket.take(now) and self._together(now)

    def _together(self, now: float) -> bool:
        if self.total is None:
            return True
        if self.together is None:
            self.together = Bucket(self.total, self.total, now)
        return self.together.take(now)


def source(host: str) -> str:
    """
    Who counts as one: an IPv4 address, an IPv6 network, or the text itself.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False))
    return str(address)
