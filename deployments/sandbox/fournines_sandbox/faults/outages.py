"""
Outages of the cloud's own servers: Keystone and the database are stopped, and stay so until mended.
"""

from __future__ import annotations

from fournines_sandbox import supervision
from fournines_sandbox.site import Site

PROCESSES = {"keystone": "keystone", "mariadb": "mariadb"}
"""What can be stopped, and the name of its process."""

MEANINGS = {
    "keystone": "Keystone is down: no token is given or checked anew",
    "mariadb": "the cloud's database is down: every API stalls or fails",
}


def strike(site: Site, what: str) -> None:
    """Stop it; stopped already is fine."""
    supervision.halt(site, PROCESSES[what])


def mend(site: Site, what: str) -> bool:
    """Start it; whether it was stopped."""
    return supervision.resume(site, PROCESSES[what])


def standing(site: Site) -> list[str]:
    """What is stopped now."""
    stopped = {item.name for item in supervision.processes(site) if item.state == "STOPPED"}
    return [what for what, process in PROCESSES.items() if process in stopped]
