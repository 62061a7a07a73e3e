"""
The process behind every PROMETHEUS listener.

In an amphora a small proxy on 127.0.0.1:9102 translates what HAProxy exports on 127.0.0.1:9101. Here one process does
it for all load balancers: it binds the same address in each one's namespace. Apart from Octavia's API, so that the
metrics survive its restarts. It keeps no state: load balancers are found by their configurations.
"""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from fournines_sandbox.loadbalancer import namespace, seat
from fournines_sandbox.loadbalancer.exposition import translate
from fournines_sandbox.site import Site

UPSTREAM = ("127.0.0.1", 9101)
LISTEN = ("127.0.0.1", 9102)

RESCAN_SECONDS = 0.3
"""A new listener answers this much after it is ACTIVE; looking costs a few system calls per load balancer."""

TIMEOUT_SECONDS = 4.0
"""HAProxy gives its internal proxies 5 s."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One load balancer's namespace, as found at one look.
    """

    name: str
    identity: tuple[int, int]


def wanted(site: Site) -> set[Endpoint]:
    """
    The namespaces of the load balancers that have a PROMETHEUS listener.
    """
    found = set()
    for configuration in seat.configurations(site).glob("*/haproxy.cfg"):
        name = site.netns("lb", configuration.parent.name)
        identity = namespace.identity(name)
        if identity and "prometheus-exporter-internal" in configuration.read_text():
            found.add(Endpoint(name, identity))
    return found


async def scrape(name: str) -> str:
    """
    Ask the HAProxy of one namespace for its metrics.

    Raises:
        OSError: It does not answer.
    """
    connection = namespace.socket_in(name)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, UPSTREAM)
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise OSError("HAProxy refused to give its metrics")
    return body.decode()


def machine() -> str:
    """
    The two metrics the amphora adds about itself: here they are the host's.
    """
    cpu_percent = os.getloadavg()[0] / (os.cpu_count() or 1) * 100
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, available = (int(memory[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    return (
        "# HELP octavia_loadbalancer_cpu Load balancer CPU utilization (percentage).\n"
        "# TYPE octavia_loadbalancer_cpu gauge\n"
        f"octavia_loadbalancer_cpu {cpu_percent:.1f}\n"
        "# HELP octavia_loadbalancer_memory Load balancer memory utilization (percentage).\n"
        "# TYPE octavia_loadbalancer_memory gauge\n"
        f"octavia_loadbalancer_memory {100 * (total - available) / total:.1f}\n"
    )


class Exporter:
    """
    Listens in every namespace that wants it.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._servers: dict[Endpoint, asyncio.Server] = {}

    async def run(self) -> None:
        """
        Follow the load balancers for ever.
        """
        while True:
            await self.follow()
            await asyncio.sleep(RESCAN_SECONDS)

    async def follow(self) -> None:
        """
        Listen where it is wanted, and nowhere else.
        """
        endpoints = wanted(self._site)
        for endpoint in self._servers.keys() - endpoints:
            self._servers.pop(endpoint).close()
        for endpoint in endpoints - self._servers.keys():
            try:
                listening = namespace.socket_in(endpoint.name)
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind(LISTEN)
                self._servers[endpoint] = await asyncio.start_server(
                    lambda reader, writer, name=endpoint.name: self._serve(name, reader, writer),
                    sock=listening,
                )
            except OSError as error:
                # The namespace may be on its way in or out: the next look decides.
                print(f"cannot serve metrics in {endpoint.name}: {error}", flush=True)

    async def _serve(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                status, body = "200 OK", b""
                try:
                    text = await asyncio.wait_for(scrape(name), TIMEOUT_SECONDS)
                    body = (machine() + translate(text)).encode()
                except (OSError, TimeoutError) as error:
                    status, body = "502 Bad Gateway", f"{error}\n".encode()
                if request.startswith(b"HEAD "):
                    length, body = len(body), b""
                else:
                    length = len(body)
                writer.write(
                    f"HTTP/1.1 {status}\r\nCache-Control: no-cache\r\n"
                    f"Content-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # the end of a connection
        finally:
            writer.close()
