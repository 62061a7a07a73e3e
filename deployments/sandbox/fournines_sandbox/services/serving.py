"""
What every service process does alike: wait for the database, then serve its WSGI application on loopback.
"""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from cheroot import wsgi

from fournines_sandbox import database
from fournines_sandbox.faults.api import Faulty
from fournines_sandbox.site import Site

CATALOGUE_MARKER = "catalogue"
"""The file in the state directory that says that Keystone's catalogue is complete."""

Application = Callable[..., Any]
"""A WSGI application."""

_CATALOGUE_SECONDS_MAX = 300
_THREADS = 16
_BACKLOG = 128


def prepare(name: str, *arguments: str) -> Site:
    """
    Set the process up before any OpenStack module is imported: they read `sys.argv` and their configuration then.

    Returns:
        The cloud this process belongs to.
    """
    sys.argv = [name, *arguments]
    site = Site.from_environment()
    database.wait(site)
    return site


def run(main: Callable[[], None]) -> None:
    """
    Run a service; a failure ends the process at once, whatever threads it has started, so that it is begun anew.
    """
    try:
        main()
    except BaseException:  # noqa: BLE001 - whatever it was
        traceback.print_exc()
        os._exit(1)


def wait_for_catalogue(site: Site) -> None:
    """
    Return when Keystone knows the services: at once, save in the first minute of a cloud's life.

    Raises:
        TimeoutError: It does not after five minutes.
    """
    deadline = time.monotonic() + _CATALOGUE_SECONDS_MAX
    while not (site.state / CATALOGUE_MARKER).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no catalogue after {_CATALOGUE_SECONDS_MAX} s")
        time.sleep(0.2)


class _Body:
    """
    A request's body whose end is not the connection's end.

    Glance closes a body it has read; the server's own object would close the connection with it, and the client's
    next request on it would fail.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self.read = source.read
        self.readline = source.readline
        self.readlines = source.readlines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._source)

    def close(self) -> None:
        """Nothing: the server reads on."""


def _keeping_connections(application: Application) -> Application:
    def kept(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return application(environ, start_response)

    return kept


def serve(site: Site, name: str, application: Application) -> None:
    """
    Serve until the process is stopped.
    """
    server = wsgi.Server(
        ("127.0.0.1", site.port(name)),
        Faulty(site, name, _keeping_connections(application)),
        numthreads=_THREADS,
        server_name="fournines-sandbox",
        request_queue_size=_BACKLOG,
    )
    server.nodelay = True
    # What was imported lives for ever: no collection need look at it again.
    gc.collect()
    gc.freeze()
    print(f"{name} serves on port {site.port(name)}", flush=True)
    server.start()
