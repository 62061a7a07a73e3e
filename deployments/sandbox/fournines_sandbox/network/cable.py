"""
The cables of instances: a port's outer end without carrier passes nothing, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Container

from fournines_sandbox.network import kernel, plug
from fournines_sandbox.site import Site


def pull(site: Site, spaces: Container[str]) -> None:
    """Pull the cables of all ports in these namespaces."""
    _set(site, spaces, "down")


def plug_in(site: Site, spaces: Container[str]) -> None:
    """Put them back."""
    _set(site, spaces, "up")


def pulled(site: Site, netns: str) -> bool:
    """Whether an instance has ports and all of them are without cable."""
    taps = {item.tap for item in plug.plugs(site) if item.netns == netns}
    links = kernel.ip_json("link show type veth", site.switch) if taps else []
    flags = [link["flags"] for link in links if link["ifname"] in taps]
    return bool(flags) and all("UP" not in item for item in flags)


def _set(site: Site, spaces: Container[str], state: str) -> None:
    taps = [item.tap for item in plug.plugs(site) if item.netns in spaces]
    kernel.ip([f"link set {tap} {state}" for tap in taps], site.switch, force=True)
