"""
Simulated hosts that lose power: everything on them is gone at once, and nobody says so.

Their instances die, their ports carry nothing, and Nova's process stops their compute service (`compute/fleet.py`), whose
heartbeats then miss. Power back: the compute service starts and boots what Nova believes to be running.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from fournines_sandbox.compute import fleet_report
from fournines_sandbox.compute.hosts import BY_NAME, HOSTS, ZONES
from fournines_sandbox.compute.machine import Machine, all_machines
from fournines_sandbox.faults import standing
from fournines_sandbox.faults.problem import FaultError
from fournines_sandbox.faults.standing import HOST, Standing
from fournines_sandbox.network import cable
from fournines_sandbox.site import Site

_NOTICED_SECONDS = 20.0
"""Nova's process looks four times a second; stopping one compute service takes longer on a busy machine."""


def hosts_of(target: str) -> list[str]:
    """
    The hosts a host's or a zone's name stands for.

    Raises:
        FaultError: It is neither.
    """
    if target in BY_NAME:
        return [target]
    found = [host.name for host in HOSTS if host.zone == target]
    if not found:
        known = ", ".join([*BY_NAME, *ZONES])
        raise FaultError(f"there is no host or zone {target}; there are: {known}")
    return found


def take_down(site: Site, names: list[str]) -> int:
    """
    Cut the power of hosts; returns how many instances died with them. Down already is fine.
    """
    for name in names:
        if not standing.host_down(site, name):
            Standing(HOST, name, name).save(site)
    _await(site, lambda down: set(names) <= down)
    victims = _on(site, names)
    cable.pull(site, {machine.netns for machine in victims})
    for machine in victims:
        init = machine.init
        if init is not None:
            init.signal(signal.SIGKILL)
            machine.group.thaw()
    return len(victims)


def bring_back(site: Site, names: list[str]) -> int:
    """
    Give hosts their power again; returns how many instances are on them. Up already is fine.
    """
    down = [name for name in names if standing.host_down(site, name)]
    victims = _on(site, down)
    cable.plug_in(site, {machine.netns for machine in victims})
    for name in down:
        standing.path(site, HOST, name).unlink(missing_ok=True)
    _await(site, lambda still: not still & set(names))
    return len(victims)


def _on(site: Site, names: list[str]) -> list[Machine]:
    return [
        machine
        for machine in all_machines(site)
        if (record := machine.record) is not None and record.host in names
    ]


def _await(site: Site, reached: Callable[[set[str]], bool]) -> None:
    """Wait until Nova's process has followed; one that does not run follows when it starts."""
    deadline = time.monotonic() + _NOTICED_SECONDS
    while time.monotonic() < deadline:
        down = fleet_report.down(site)
        if down is None or reached(down):
            return
        time.sleep(0.05)
