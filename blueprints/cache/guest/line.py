"""
The lines between the members of a cache: Redis' protocol over TLS, and who this member is. Python's standard library alone.
"""

# ruff: noqa: INP001  an instance runs this file by itself

from __future__ import annotations

import json
import os
import pathlib
import socket
import ssl
from typing import Any

CONFIG = pathlib.Path(os.environ.get("CACHE_CONFIG", "/etc/cache/member.json"))
MASTER = "primary"
"""What the Sentinels call the set of members."""

REDIS_PORT, SENTINEL_PORT = 6379, 26379
ASK_SECONDS = 0.8


class Refused(Exception):
    """The server answered with an error."""


class Member:
    """
    This member's place among the others, as its configuration says.
    """

    def __init__(self) -> None:
        known = json.loads(CONFIG.read_text())
        self.address: str = known["address"]
        self.seeds: list[str] = known["seeds"]
        self.home = pathlib.Path(known["home"])
        self.data = pathlib.Path(known["data"])
        self.keeps: bool = known["keeps"]
        self.password = pathlib.Path(known["password_file"]).read_text().strip()
        self.context = ssl.create_default_context(cafile=known["ca_file"])

    def redis(self) -> Line:
        """A line to this member's Redis."""
        return Line(self, "127.0.0.1", REDIS_PORT, "fournines")

    def sentinel(self, address: str) -> Line:
        """A line to a member's Sentinel."""
        return Line(self, address, SENTINEL_PORT, "default")


class Line:
    """
    A connection that speaks Redis' protocol. It is opened at the first word and again after a failure.
    """

    def __init__(self, member: Member, address: str, port: int, user: str) -> None:
        self._member, self._user = member, user
        self._where = (address, port)
        self._socket: ssl.SSLSocket | None = None
        self._file: Any = None

    def say(self, *words: str) -> Any:
        """
        The answer to a command.

        Raises:
            OSError: No answer.
            Refused: An error for an answer.
        """
        try:
            if self._socket is None:
                self._open()
            return self._exchange(*words)
        except (OSError, ValueError):
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _open(self) -> None:
        plain = socket.create_connection(self._where, timeout=ASK_SECONDS)
        plain.settimeout(ASK_SECONDS)
        self._socket = self._member.context.wrap_socket(
            plain, server_hostname=self._where[0]
        )
        self._file = self._socket.makefile("rb")
        self._exchange("AUTH", self._user, self._member.password)

    def _exchange(self, *words: str) -> Any:
        assert self._socket is not None
        parts = [word.encode() for word in words]
        body = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._socket.sendall(b"*%d\r\n%s" % (len(parts), body))
        return self._answer()

    def _answer(self) -> Any:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection was closed")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise Refused(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self._file.read(length + 2)[:-2].decode()
        if kind == b"*":
            count = int(rest)
            return None if count < 0 else [self._answer() for _ in range(count)]
        return rest


def followed(line: Line) -> str | None:
    """
    The address of the primary in one Sentinel's eyes; None when it does not answer.
    """
    try:
        answer = line.say("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
    except (OSError, ValueError, Refused):
        return None
    return str(answer[0]) if answer else None
