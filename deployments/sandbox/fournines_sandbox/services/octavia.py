"""
Octavia: its API, the driver agent's listeners, and the provider's engine, in one process.
"""

from __future__ import annotations

import importlib
import socketserver
import threading
from typing import Any

from fournines_sandbox.services import serving

_BACKLOG = 64


class _ThreadingServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    # Octavia forks a process per status update; threads share its database connections and answer in milliseconds.
    daemon_threads = True
    request_queue_size = _BACKLOG


def main() -> None:
    """
    Serve Octavia.
    """
    site = serving.prepare("octavia")
    # Importing the modules reads the configuration, so it cannot happen earlier.
    arguments = ["octavia", "--config-file", str(site.etc / "octavia.conf")]
    application = importlib.import_module("octavia.api.app").setup_app(argv=arguments)
    _listen(importlib.import_module("octavia.api.drivers.driver_agent.driver_listener"))
    importlib.import_module("fournines_sandbox.loadbalancer.engine").start(site)
    serving.serve(site, "octavia", application)


def _listen(listeners: Any) -> None:
    listeners.ForkingUDSServer = _ThreadingServer
    never = threading.Event()
    for listener in (
        listeners.status_listener,
        listeners.stats_listener,
        listeners.get_listener,
    ):
        threading.Thread(target=listener, args=(never,), daemon=True).start()


if __name__ == "__main__":
    serving.run(main)
