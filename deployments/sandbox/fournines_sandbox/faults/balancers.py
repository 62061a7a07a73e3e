"""
The process behind a load balancer: killed, as by a crash, or frozen, as by a stuck host.

A killed one is started again within seconds, as an amphora's init would; a frozen one stays until it is mended or
Octavia fails it over.
"""

from __future__ import annotations

import os
import signal

from fournines_sandbox.compute.cgroup import ControlGroup
from fournines_sandbox.faults.problem import FaultError
from fournines_sandbox.loadbalancer.seat import configurations, seat_of
from fournines_sandbox.site import Site

HOW = ("killed", "frozen")


def strike(site: Site, identifier: str, how: str) -> None:
    """
    Kill or freeze a load balancer's HAProxy. Frozen already is fine.

    Raises:
        FaultError: It has no process.
    """
    group = _group(site, identifier)
    pids = group.processes()
    if not pids:
        raise FaultError("its HAProxy does not run: it has no listener, or is just being started")
    if how == "frozen":
        group.freeze()
        return
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    group.thaw()


def mend(site: Site, identifier: str) -> bool:
    """Thaw it; whether it was frozen."""
    group = _group(site, identifier)
    was = group.frozen
    group.thaw()
    return was


def frozen(site: Site) -> list[str]:
    """Ids of the load balancers that are frozen now."""
    if not configurations(site).is_dir():
        return []
    names = (entry.name for entry in configurations(site).iterdir())
    return sorted(name for name in names if _group(site, name).frozen)


def _group(site: Site, identifier: str) -> ControlGroup:
    return ControlGroup(seat_of(site, identifier).cgroup)
