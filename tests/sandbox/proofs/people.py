"""
People around a platform: users, who ask and remember how it went, and whoever is called.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx

ASKED_PER_SECOND = 10

HANDS_MAX = 200
"""Requests under way at once."""

_LIMITS = httpx.Limits(max_connections=HANDS_MAX, max_keepalive_connections=HANDS_MAX)


class Pager:
    """
    The people who are called: every page with its moment.
    """

    def __init__(self) -> None:
        self.pages: list[tuple[float, dict[str, Any]]] = []
        pages = self.pages

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                pages.append((time.time(), json.loads(self.rfile.read(length))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where pages go."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/pages"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self, since: float, **labels: str) -> list[tuple[float, str]]:
        """Alarms that began to ring since a moment, with these labels: seconds from it, and what was said."""
        return [
            (round(at - since, 1), alert["annotations"].get("summary", ""))
            for at, page in list(self.pages)
            for alert in page["alerts"]
            if at >= since
            and alert["status"] == "firing"
            and labels.items() <= alert["labels"].items()
        ]


class Users:
    """
    Somebody who asks for a page ten times a second and remembers how it went.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self.asked: list[tuple[float, bool]] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(timeout=3, trust_env=False) as client:
            while not self._over.wait(1 / ASKED_PER_SECOND):
                at = time.time()
                try:
                    good = client.get(self._url).status_code == httpx.codes.OK
                except httpx.HTTPError:
                    good = False
                self.asked.append((at, good))

    def moved_seconds(self, fault_at: float) -> float:
        """From a fault to the last answer that was bad because of it."""
        bad = [at for at, good in self.asked if at >= fault_at and not good]
        return round(max(bad) - fault_at, 1) if bad else 0.0


class Rush:
    """
    So many requests a second, however slowly they are answered.
    """

    def __init__(self, url: str, per_second: float) -> None:
        self._url = url
        self._pause = 1 / per_second
        self._over = threading.Event()
        self._hands = ThreadPoolExecutor(HANDS_MAX)
        self._thread = threading.Thread(target=self._drive, daemon=True)
        self._client = httpx.Client(timeout=5, trust_env=False, limits=_LIMITS)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._hands.shutdown(wait=False, cancel_futures=True)

    def _drive(self) -> None:
        while not self._over.wait(self._pause):
            self._hands.submit(self._ask)

    def _ask(self) -> None:
        with suppress(httpx.HTTPError):
            self._client.get(self._url)
