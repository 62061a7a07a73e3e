"""
Faults of the OpenStack APIs: a WSGI layer in each service's process, outermost.

Off, it costs one look at the file system per request. On, it draws for each request from a sequence that the seed and
the service's name decide. Calls of the services among themselves come by another name of this machine (`localhost`) and
are spared unless the fault is for everyone.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fournines_sandbox.faults import standing
from fournines_sandbox.site import Site

KINDS = {
    "error-before": "500, and nothing was done",
    "error-after": "500, though it was done",
    "timeout-after": "504 after some seconds, though it was done",
    "conflict": "409, and nothing was done",
    "busy": "429 with Retry-After, and nothing was done",
    "stale": "what was true some seconds ago",
}
"""The kinds of fault, with what a caller gets."""

_READS = ("GET", "HEAD")
_FOR_CHANGES = frozenset({"conflict"})
_FOR_READS = frozenset({"stale"})
_NEVER_IN_CONFLICT = frozenset({"keystone"})  # its users only ask for tokens
_ANSWERS_REMEMBERED = 2000
_ANSWER_BYTES_MAX = 1 << 20

Application = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A whole answer of a service.
    """

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    at: float = 0.0


class Faulty:
    """
    One service's application behind its faults.
    """

    def __init__(self, site: Site, service: str, application: Application) -> None:
        self._application = application
        self._service = service
        self._file = standing.path(site, standing.API)
        self._counts_file = counts_file(site, service)
        self._lock = threading.Lock()
        self._seen: tuple[int, int] = (0, 0)
        self._facts: dict[str, Any] = {}
        self._draws = random.Random()  # noqa: S311 - luck that can be repeated, not a secret
        self._counts: Counter[str] = Counter()
        self._answers: OrderedDict[tuple[str, ...], deque[Answer]] = OrderedDict()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        try:
            told = self._file.stat()
        except FileNotFoundError:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        with self._lock:
            self._note(told.st_ino, told.st_mtime_ns)
            kind = self._draw(environ)
        return self._answer(kind, environ, start_response)

    def _note(self, inode: int, changed: int) -> None:
        if self._seen == (inode, changed):
            return
        self._seen = (inode, changed)
        self._facts = json.loads(self._file.read_text())["facts"]
        self._draws = random.Random(f"{self._facts['seed']} {self._service}")  # noqa: S311
        self._counts.clear()
        self._answers.clear()

    def _draw(self, environ: dict[str, Any]) -> str:
        """The fault of this request; empty when it has none."""
        if self._service not in self._facts["services"]:
            return ""
        if _internal(environ) and not self._facts["everyone"]:
            return ""
        reading = environ["REQUEST_METHOD"] in _READS or self._service in _NEVER_IN_CONFLICT
        unfit = _FOR_CHANGES if reading else _FOR_READS
        fit = [kind for kind in self._facts["kinds"] if kind not in unfit]
        drawn, which = self._draws.random(), self._draws.random()
        if not fit or drawn >= self._facts["rate"]:
            return ""
        return str(fit[int(which * len(fit))])

    def _answer(self, kind: str, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if kind == "stale":
            answer = self._stale(environ)
            if answer is None:
                kind, answer = "", self._call(environ)
        elif kind in ("", "error-after", "timeout-after"):
            answer = self._call(environ)
        if kind:
            self._count(kind)
        if kind == "timeout-after":
            time.sleep(self._facts["hold_seconds"])
        if kind not in ("", "stale"):
            answer = _REFUSALS[kind]
        start_response(answer.status, list(answer.headers))
        return [answer.body] if environ["REQUEST_METHOD"] != "HEAD" else []

    def _call(self, environ: dict[str, Any]) -> Answer:
        key = _key(environ)  # the application may change what it is given
        told: list[Any] = []
        early: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], _failed: Any = None) -> Any:
            told[:] = [status, headers]
            return early.append

        parts = self._application(environ, start)
        try:
            body = b"".join([*early, *parts])
        finally:
            if hasattr(parts, "close"):
                parts.close()
        answer = Answer(told[0], told[1], body, time.monotonic())
        if environ["REQUEST_METHOD"] in _READS and len(body) <= _ANSWER_BYTES_MAX:
            self._remember(key, answer)
        return answer

    def _remember(self, key: tuple[str, ...], answer: Answer) -> None:
        with self._lock:
            known = self._answers.setdefault(key, deque())
            self._answers.move_to_end(key)
            known.append(answer)
            while known and answer.at - known[0].at > self._facts["stale_seconds"]:
                known.popleft()
            while len(self._answers) > _ANSWERS_REMEMBERED:
                self._answers.popitem(last=False)

    def _stale(self, environ: dict[str, Any]) -> Answer | None:
        """The oldest answer to the same question that is young enough."""
        with self._lock:
            known = self._answers.get(_key(environ), ())
            oldest = time.monotonic() - self._facts["stale_seconds"]
            return next((answer for answer in known if answer.at >= oldest), None)

    def _count(self, kind: str) -> None:
        with self._lock:
            self._counts[kind] += 1
            draft = self._counts_file.with_suffix(".draft")
            draft.write_text(json.dumps(self._counts))
            draft.replace(self._counts_file)


def counts_file(site: Site, service: str) -> Path:
    """Where a service counts the faults it has had."""
    return standing.directory(site) / f"api-{service}.counts"


def counts(site: Site) -> dict[str, dict[str, int]]:
    """The faults so far, by service and kind."""
    found = {}
    for file in sorted(standing.directory(site).glob("api-*.counts")):
        found[file.stem.removeprefix("api-")] = json.loads(file.read_text())
    return found


def _internal(environ: dict[str, Any]) -> bool:
    return str(environ.get("HTTP_HOST", "")).startswith("localhost")


def _key(environ: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(environ.get(name, ""))
        for name in ("PATH_INFO", "QUERY_STRING", "HTTP_X_AUTH_TOKEN", "HTTP_ACCEPT")
    )


def _refusal(status: str, **headers: str) -> Answer:
    code, _, reason = status.partition(" ")
    body = json.dumps({"error": {"code": int(code), "title": reason, "message": reason}}).encode()
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    length = ("Content-Length", str(len(body)))
    return Answer(status, [("Content-Type", "application/json"), length, *named], body)


_REFUSALS = {
    "error-before": _refusal("500 Internal Server Error"),
    "error-after": _refusal("500 Internal Server Error"),
    "timeout-after": _refusal("504 Gateway Timeout"),
    "conflict": _refusal("409 Conflict"),
    "busy": _refusal("429 Too Many Requests", Retry_After="1"),
}
