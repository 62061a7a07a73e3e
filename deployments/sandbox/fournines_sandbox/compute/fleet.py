"""
The compute services of the simulated hosts: each runs unless its host is down.

A host without power reads no messages, runs no periodic task and sends no heartbeat; what it is told meanwhile waits for it, as
on a real message bus. Power back means a new service object, which initialises its host as after any boot.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
import traceback
from typing import Any

from fournines_sandbox.compute import fleet_report
from fournines_sandbox.compute.hosts import HOSTS
from fournines_sandbox.compute.process import Process
from fournines_sandbox.faults import standing
from fournines_sandbox.site import Site

_PERIOD_SECONDS = 0.25


class Fleet:
    """
    The services of one Nova process.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._running: dict[str, Any] = {}
        self._process = Process.of(os.getpid())

    def look(self) -> None:
        """
        Start and stop what is not as it should be.
        """
        changed = not self._running
        for host in HOSTS:
            down = standing.host_down(self._site, host.name)
            if down and host.name in self._running:
                self._stop(host.name)
                changed = True
            elif not down and host.name not in self._running:
                self._start(host.name)
                changed = True
        if changed and self._process:
            missing = {host.name for host in HOSTS} - self._running.keys()
            fleet_report.write(self._site, self._process, missing)

    def watch(self) -> None:
        """
        Look for ever, in a thread of its own.
        """
        threading.Thread(target=self._watch, name="fleet", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_PERIOD_SECONDS)
            try:
                self.look()
            except Exception:  # noqa: BLE001 - a thread's top: the next look tries again
                traceback.print_exc()
                time.sleep(1)

    def _start(self, host: str) -> None:
        service = importlib.import_module("nova.service")
        compute = importlib.import_module("nova.compute.rpcapi")
        made = service.Service.create(
            host=host,
            binary="nova-compute",
            topic=compute.RPC_TOPIC,
            topic_alt=compute.RPC_TOPIC_ALT,
        )
        made.start()
        self._running[host] = made

    def _stop(self, host: str) -> None:
        # Not Service.stop(): that is a farewell, with time for work under way. Power cuts give none.
        service = self._running.pop(host)
        print(f"host {host} lost its power", flush=True)
        for server in (service.rpcserver, service.rpcserver_alt):
            if server is not None:
                server.stop()
        service.tg.stop()
