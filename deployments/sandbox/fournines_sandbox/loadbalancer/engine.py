"""
The engine behind the provider: worker and watch, started once in Octavia's process.

Octavia makes a provider object per request and imports the provider for its own checks as well; the engine starts only
where the service says so.
"""

from __future__ import annotations

import threading

from fournines_sandbox.loadbalancer.record import Record
from fournines_sandbox.loadbalancer.watch import Watch
from fournines_sandbox.loadbalancer.worker import Worker
from fournines_sandbox.site import Site

_started: list[Worker] = []


class NotRunningError(Exception):
    """
    A request came to a process in which nobody started the engine.
    """


def start(site: Site) -> None:
    """
    Adopt what is there and begin to work; Octavia's configuration must have been read.
    """
    record = Record(site)
    watch = Watch(site, record)
    worker = Worker(site, record, watch.settled)
    _started.append(worker)
    worker.adopt()
    threading.Thread(target=watch.run, args=(worker,), name="watch", daemon=True).start()


def worker() -> Worker:
    """
    The worker of this process.

    Raises:
        NotRunningError: It was not started here.
    """
    if not _started:
        raise NotRunningError("the load balancers' engine does not run in this process")
    return _started[0]
