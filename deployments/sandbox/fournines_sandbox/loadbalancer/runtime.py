"""
What a running HAProxy can be told without a reload.

The weight and the admin state of a member are set through the stats socket, so that the counters go on and no process
changes. Everything else needs a reload, as in an amphora. `commands` is pure; `Control` talks to the socket.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

_SERVER = re.compile(r"^ {4}server (\S+) \S+ (?P<weight>weight \d+)(?P<rest>.*)$")
_BACKEND = re.compile(r"^backend (\S+)$")
_DISABLED = " disabled"

TIMEOUT_SECONDS = 2.0
"""HAProxy answers its socket within a millisecond; one that does not for this long is stuck."""


class ControlError(Exception):
    """
    HAProxy did not take a command, or does not answer.
    """


def commands(old: str, new: str) -> list[str] | None:
    """
    The commands that turn the running configuration `old` into `new`; None when only a reload can.
    """
    before, after = old.splitlines(), new.splitlines()
    if len(before) != len(after):
        return None
    result: list[str] = []
    backend = ""
    for was, now in zip(before, after, strict=True):
        if found := _BACKEND.match(now):
            backend = found[1]
        if was == now:
            continue
        told, wanted = _SERVER.match(was), _SERVER.match(now)
        if told is None or wanted is None or _fixed(was) != _fixed(now):
            return None
        server = f"{backend}/{wanted[1]}"
        if told["weight"] != wanted["weight"]:
            result.append(f"set server {server} {wanted['weight']}")
        if _enabled(was) != _enabled(now):
            result.append(f"set server {server} state {'ready' if _enabled(now) else 'maint'}")
    return result


def _fixed(line: str) -> str:
    # What of a server line no command can change.
    return re.sub(r" weight \d+", "", line).replace(_DISABLED, "")


def _enabled(line: str) -> bool:
    return _DISABLED not in line


class Control:
    """
    The stats socket of one HAProxy.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, command: str) -> str:
        """
        Send one command and return the answer.

        Raises:
            ControlError: There is no answer.
        """
        answer = bytearray()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT_SECONDS)
                connection.connect(str(self._path))
                connection.sendall(command.encode() + b"\n")
                while part := connection.recv(65536):
                    answer += part
        except OSError as error:
            raise ControlError(
                f"HAProxy at {self._path} does not answer {command!r}: {error}"
            ) from error
        return answer.decode().strip()

    def tell(self, command: str) -> None:
        """
        Send one command that answers nothing when it succeeds.

        Raises:
            ControlError: HAProxy refuses, or does not answer.
        """
        if answer := self.ask(command):
            raise ControlError(f"HAProxy at {self._path} refuses {command!r}: {answer}")
