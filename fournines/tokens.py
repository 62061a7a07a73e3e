"""
The bearer tokens of the healer's door, as files that only their owner can read.

    webhook-token             what Alertmanager sends
    webhook-token.previous    the one before: still good for a day after a rotation, or until it is retired

Both are looked at whenever they change, so a rotation needs no restart and loses no alert: whoever still sends the old one is let in meanwhile.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from threading import Lock

from fournines.concealment import conceal

PREVIOUS_SECONDS_MAX = 86_400.0
"""A previous token ends by itself after a day: every Alertmanager reads its file anew at each message."""

_BYTES = 32

_Seen = tuple[int, int, int] | None


class Tokens:
    """
    The tokens that are good now. Thread-safe; costs two `stat` calls while nothing changes.
    """

    def __init__(self, file: Path, given: str | None = None) -> None:
        self._file = file
        self._given = given
        self._lock = Lock()
        self._seen: tuple[_Seen, _Seen] | None = None
        self._current: tuple[str, ...] = ()
        self._previous: tuple[str, ...] = ()

    def accepted(self) -> tuple[str, ...]:
        """
        Current and previous; none when there is no file: nobody can be let in then.
        """
        if self._given is not None:
            return (self._given,) if self._given else ()
        before = previous(self._file)
        with self._lock:
            seen = (_seen(self._file), _seen(before))
            if seen != self._seen:
                self._current, self._previous = _lines(self._file), _lines(before)
                self._seen = seen
            return self._current + (self._previous if _is_young(before) else ())


def previous(file: Path) -> Path:
    """
    Where the token before lies.
    """
    return file.with_name(f"{file.name}.previous")


def ensure(file: Path, given: str | None = None) -> Path:
    """
    The file with a token in it, made on the first call.
    """
    if not file.exists():
        _write(file, given or secrets.token_urlsafe(_BYTES))
    return file


def rotate(file: Path) -> None:
    """
    A new token; the one before stays good for a day.
    """
    lines = _lines(file)
    if lines:
        _write(previous(file), lines[0])
    _write(file, secrets.token_urlsafe(_BYTES))


def retire(file: Path) -> bool:
    """
    The previous token is good no more; whether there was one.
    """
    before = previous(file)
    existed = before.exists()
    before.unlink(missing_ok=True)
    return existed


def _write(file: Path, token: str) -> None:
    """
    Whole or not at all, and never readable by others, not even for a moment.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(token)
    new.replace(file)


def _lines(file: Path) -> tuple[str, ...]:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        return ()
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    conceal(*found)
    return found


def _seen(file: Path) -> _Seen:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _is_young(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime < PREVIOUS_SECONDS_MAX
    except OSError:
        return False
