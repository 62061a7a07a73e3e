"""
A program that stands between an instance's network and its service, and makes the service look broken.

    proxy.py MODE PORT SECONDS

It runs in the instance's network namespace, outside the instance; the packet filter leads every incoming connection
to it. Modes: `errors` answers every request with 500; `grey-errors` spares the health path, so that a load balancer sees
nothing; `grey-slow` passes everything on, late, health excepted. One request per connection, so that each is judged
by its own path. What is not HTTP is passed through, except in mode `errors`, where it is cut.

Only the standard library, because it is started for itself alone and must be there at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import sys

SPARED = ("/healthz", "/metrics")
"""Paths that grey faults leave alone."""

MODES = ("errors", "grey-errors", "grey-slow")

_SO_ORIGINAL_DST = 80
_HEAD_BYTES_MAX = 65536
_HEAD_SECONDS_MAX = 30.0
_REQUEST = re.compile(rb"^[A-Z]{3,10} (\S+) HTTP/1\.[01]\r\n")
_VERB = re.compile(rb"^[A-Z]{1,10}( |$)")
_FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 22\r\nConnection: close\r\n\r\ninternal server error\n"
)


def spared(path: str) -> bool:
    """Whether grey faults leave a request path alone."""
    plain = path.partition("?")[0]
    return any(plain == known or plain.startswith(f"{known}/") for known in SPARED)


def closing(head: bytes) -> bytes:
    """A request's head, asking the server to close after its answer."""
    lines = head[:-4].split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""])


def original_destination(connection: socket.socket) -> tuple[str, int]:
    """Where a connection was headed before the packet filter led it here."""
    told = connection.getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, 16)
    port, address = struct.unpack("!2xH4s8x", told)
    return socket.inet_ntoa(address), port


class Proxy:
    """
    One mode on every connection.
    """

    def __init__(self, mode: str, seconds: float) -> None:
        self.mode = mode
        self.seconds = seconds

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            await self._serve(reader, writer)
        with contextlib.suppress(OSError):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = await asyncio.wait_for(_head(reader), _HEAD_SECONDS_MAX)
        asked = _REQUEST.match(head)
        healthy = asked is not None and spared(asked.group(1).decode(errors="replace"))
        if asked and (self.mode == "errors" or (self.mode == "grey-errors" and not healthy)):
            writer.write(_FAILED)
            await writer.drain()
            # The rest of the request is read, or closing would reset the connection under the answer.
            writer.write_eof()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(), 1.0)
            return
        if self.mode == "errors" or not head:
            return
        if self.mode == "grey-slow" and not healthy:
            await asyncio.sleep(self.seconds)
        await _pass_on((closing(head) if asked else head) + body, reader, writer)


async def _head(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A request's head with its empty line, and what came with it of the body; or the first bytes of something else."""
    seen = b""
    while len(seen) < _HEAD_BYTES_MAX:
        more = await reader.read(4096)
        seen += more
        end = seen.find(b"\r\n\r\n")
        if end >= 0:
            return seen[: end + 4], seen[end + 4 :]
        if not more or not _VERB.match(seen):
            break
    return seen, b""


async def _pass_on(
    first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    address, port = original_destination(writer.get_extra_info("socket"))
    upstream_reader, upstream_writer = await asyncio.open_connection(address, port)
    upstream_writer.write(first)
    upward = asyncio.create_task(_pump(reader, upstream_writer))
    try:
        await _pump(upstream_reader, writer)
    finally:
        upward.cancel()
        upstream_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def run(mode: str, port: int, seconds: float) -> None:
    """Serve until killed; says `ready` once it listens."""
    server = await asyncio.start_server(Proxy(mode, seconds).serve, "0.0.0.0", port, backlog=1024)  # noqa: S104
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
