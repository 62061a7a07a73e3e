"""
A small shop window: the sample application of the web blueprint. Python's standard library alone.

/           a page made from the catalogue on disk: the work users come for
/healthz    deep: 200 only when the catalogue can be read and the state directory be written
/metrics    requests by status code and their latency, in Prometheus' text format
/slow?ms=N  answers after N milliseconds (at most 10,000)
"""

# ruff: noqa: INP001  an instance runs this file by itself

from __future__ import annotations

import bisect
import hashlib
import http
import http.server
import json
import os
import pathlib
import signal
import socket
import threading
import time
import urllib.parse

CATALOGUE = pathlib.Path(__file__).with_name("catalogue.json")
STATE = pathlib.Path(os.environ.get("STATE_DIRECTORY", "."))
SLOT = os.environ.get("SLOT", socket.gethostname())
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SLOW_MS_MAX = 10_000
PROBE_BYTES = 16_384


class Measurements:
    """
    Counts requests by code and sorts their durations into buckets.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_code: dict[int, int] = {}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def note(self, code: int, seconds: float) -> None:
        """
        Count one request.
        """
        with self._lock:
            self._by_code[code] = self._by_code.get(code, 0) + 1
            self._buckets[bisect.bisect_left(BUCKETS, seconds)] += 1
            self._seconds += seconds

    def text(self) -> str:
        """
        All of it for Prometheus.
        """
        with self._lock:
            by_code, buckets = dict(self._by_code), list(self._buckets)
            seconds = self._seconds
        lines = ["# TYPE http_requests_total counter"]
        lines += [
            f'http_requests_total{{code="{code}"}} {count}'
            for code, count in sorted({200: 0, 500: 0, **by_code}.items())
        ]
        lines.append("# TYPE http_request_duration_seconds histogram")
        below = 0
        for limit, count in zip((*BUCKETS, "+Inf"), buckets, strict=True):
            below += count
            lines.append(
                f'http_request_duration_seconds_bucket{{le="{limit}"}} {below}'
            )
        lines.append(f"http_request_duration_seconds_sum {seconds:.6f}")
        lines.append(f"http_request_duration_seconds_count {below}")
        return "\n".join(lines) + "\n"


MEASURED = Measurements()
CHECKING = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    """
    One connection, kept alive.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75

    def do_GET(self) -> None:
        """
        Answer and measure. Health checks and scrapes are no users' requests.
        """
        began = time.perf_counter()
        url = urllib.parse.urlsplit(self.path)
        code, kind, body = self._answer(url)
        self._send(code, kind, body.encode())
        if url.path not in {"/healthz", "/metrics"}:
            MEASURED.note(code, time.perf_counter() - began)

    def do_HEAD(self) -> None:
        """
        As GET, without the body.
        """
        self.do_GET()

    def _answer(self, url: urllib.parse.SplitResult) -> tuple[int, str, str]:
        try:
            if url.path == "/":
                return 200, "text/html; charset=utf-8", page()
            if url.path == "/healthz":
                check()
                return 200, "text/plain", "ok\n"
            if url.path == "/metrics":
                return 200, "text/plain; version=0.0.4", MEASURED.text()
            if url.path == "/slow":
                time.sleep(slow_seconds(url.query))
                return 200, "text/plain", f"{SLOT} took its time\n"
        except (OSError, ValueError) as error:
            return 500, "text/plain", f"{SLOT}: {error}\n"
        return 404, "text/plain", "no such page\n"

    def _send(self, code: int, kind: str, body: bytes) -> None:
        head = (
            f"HTTP/1.1 {code} {http.HTTPStatus(code).phrase}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"X-Slot: {SLOT}\r\n\r\n"
        )
        # One write: headers and body leave in one packet.
        self.wfile.write(head.encode() + (b"" if self.command == "HEAD" else body))

    def log_message(self, *_: object) -> None:
        """
        The load balancer keeps the access log.
        """


class Server(http.server.ThreadingHTTPServer):
    """
    A thread for each connection; load balancers keep few.
    """

    daemon_threads = True
    request_queue_size = 256


def page() -> str:
    """
    What users see: today's goods, each with its seal.
    """
    goods = json.loads(CATALOGUE.read_bytes())
    rows = "".join(
        f"<li>{good['name']}: {good['price']} "
        f"<small>{hashlib.sha256(repr(good).encode()).hexdigest()[:12]}</small></li>"
        for good in goods
    )
    return f"<!doctype html><title>Shop</title><h1>Shop</h1><ul>{rows}</ul><p>{SLOT}\n"


def check() -> None:
    """
    Do once what every request relies on: read the catalogue, write the state.

    A small file written over itself finds room on a full disk, its own: a new one beside it, of some blocks, does not. One check at a
    time: two would read each other's.
    """
    page()
    probe, fresh = STATE / "probe", STATE / "probe.new"
    text = str(time.time()).ljust(PROBE_BYTES)
    with CHECKING:
        fresh.write_text(text)
        if fresh.read_text() != text:
            raise ValueError("the disk does not give back what was written")
        fresh.replace(probe)


def slow_seconds(query: str) -> float:
    """
    How long `/slow` waits.
    """
    asked = urllib.parse.parse_qs(query).get("ms", ["1000"])[0]
    return min(max(int(asked), 0), SLOW_MS_MAX) / 1000


def main() -> None:
    """
    Serve until told to stop.
    """
    server = Server(("", int(os.environ.get("PORT", "8080"))), Handler)
    stop = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda *_: stop.start())
    server.serve_forever(poll_interval=0.2)


main()
