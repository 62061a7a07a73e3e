"""
The way into a batch service: TLS before slurmrestd, which has none, and what load balancer, probes and Prometheus ask.

Whoever comes in proves himself to Slurm by a signed token; this program only passes on. It stands in the instance, on the standard library alone.
"""

# ruff: noqa: INP001  an instance runs this file by itself

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from . import figures

API = "/slurm/v0.0.38/"
REST_PORT, GATE_PORT, HEALTH_PORT = 6821, 6820, 8000
REST_SECONDS = 60.0
"""A list of ten thousand tasks takes some seconds."""

PING_SECONDS = 3.0
PING_KEPT_SECONDS = 0.5
FIGURES_KEPT_SECONDS = 5.0
TOKEN_SECONDS = 600
BODY_BYTES_MAX = 8 * 1024 * 1024
HOME = Path("/etc/batch")

OURSELVES = "slurm"
"""Slurm's own user, who may do everything."""

ORDERS = "/fournines/nodes/"
STATES = ("DRAIN", "DOWN", "RESUME")
ORDER_SECONDS = 20.0

_PASSED_ON = ("Content-Type", "Accept", "X-SLURM-USER-NAME", "X-SLURM-USER-TOKEN")


def token(key: bytes, user: str, now: float) -> str:
    """
    What Slurm takes as proof of who asks: a JSON web token signed with the service's key.
    """
    head = {"alg": "HS256", "typ": "JWT"}
    said = {"iat": int(now), "exp": int(now) + TOKEN_SECONDS, "sun": user}
    text = b".".join(_encoded(json.dumps(part).encode()) for part in (head, said))
    return (text + b"." + _encoded(hmac.digest(key, text, hashlib.sha256))).decode()


def speaks_for_slurm(key: bytes, text: str, now: float) -> bool:
    """
    Whether a token is signed with our key, still good, and of Slurm's own user.
    """
    try:
        signed, _, signature = text.encode().rpartition(b".")
        right = _encoded(hmac.digest(key, signed, hashlib.sha256))
        if not hmac.compare_digest(right, signature):
            return False
        said = json.loads(_decoded(signed.partition(b".")[2]))
        return said.get("sun") == OURSELVES and float(said["exp"]) > now
    except (ValueError, KeyError, TypeError):
        return False


def _decoded(data: bytes) -> bytes:
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))


def command(method: str, path: str, body: bytes | None) -> list[str] | None:
    """
    The command that an order about a worker means, which this Slurm's interface has no word for; None: there is no such order.
    """
    name = path.removeprefix(ORDERS)
    if not name.replace("-", "").isalnum():
        return None
    if method == "DELETE":
        return ["/usr/bin/scontrol", "delete", f"nodename={name}"]
    said = json.loads(body or b"{}")
    state, reason = str(said.get("state")), str(said.get("reason") or "fournines")
    if method != "POST" or state not in STATES:
        return None
    words = ["/usr/bin/scontrol", "update", f"nodename={name}", f"state={state}"]
    return words if state == "RESUME" else [*words, f"reason={reason}"]


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


Answer = tuple[int, bytes]


def _said(error: str) -> bytes:
    return json.dumps({"errors": [{"error": error}]}).encode()


class Slurm:
    """
    Slurm as this program asks it itself. Answers are kept for a moment, since health checks come every second.
    """

    def __init__(self) -> None:
        self._key = (HOME / "jwt.key").read_bytes()
        self._lock = threading.Lock()
        self._well = False
        self._well_at = float("-inf")
        self._figures = figures.Figures(json.loads((HOME / "gate.json").read_text()))
        self._text = b""
        self._text_at = float("-inf")

    def is_well(self) -> bool:
        """
        Whether the controller answers through its interface.
        """
        with self._lock:
            if time.monotonic() - self._well_at > PING_KEPT_SECONDS:
                pings = self._ask("ping", PING_SECONDS).get("pings") or []
                self._well = any(one.get("ping") == "UP" for one in pings)
                self._well_at = time.monotonic()
            return self._well

    def metrics(self) -> bytes:
        """
        Figures for Prometheus; the last ones while Slurm does not answer.
        """
        with self._lock:
            if time.monotonic() - self._text_at > FIGURES_KEPT_SECONDS:
                jobs, nodes = self._ask("jobs"), self._ask("nodes")
                if "jobs" in jobs and "nodes" in nodes:
                    self._figures.look(jobs["jobs"], nodes["nodes"], time.time())
                self._text = self._figures.text(time.time()).encode()
                self._text_at = time.monotonic()
            return self._text

    def order(self, method: str, path: str, proof: str, body: bytes | None) -> Answer:
        """
        Carry out an order about a worker, answered as Slurm's interface answers.
        """
        if not speaks_for_slurm(self._key, proof, time.time()):
            return 401, _said("who are you?")
        words = command(method, path, body)
        if words is None:
            return 404, _said(f"there is no order {method} {path}")
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=ORDER_SECONDS, check=False
        )
        told = (done.stdout + done.stderr).strip()
        return (200, b"{}") if done.returncode == 0 else (500, _said(told))

    def _ask(self, what: str, seconds: float = REST_SECONDS) -> dict[str, Any]:
        line = http.client.HTTPConnection("127.0.0.1", REST_PORT, timeout=seconds)
        proof = token(self._key, OURSELVES, time.time())
        headers = {"X-SLURM-USER-NAME": OURSELVES, "X-SLURM-USER-TOKEN": proof}
        try:
            line.request("GET", API + what, headers=headers)
            found = json.loads(line.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return {}
        finally:
            line.close()
        return found if isinstance(found, dict) else {}


class Answering(http.server.BaseHTTPRequestHandler):
    """
    What both servers share.
    """

    protocol_version = "HTTP/1.1"
    slurm: Slurm

    def answer(self, code: int, body: bytes, kind: str = "text/plain") -> None:
        """Say it."""
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Health checks come every second: nothing is logged."""


class Health(Answering):
    """
    Health and figures, for everybody.
    """

    def do_GET(self) -> None:
        if self.path == "/health":
            well = self.slurm.is_well()
            self.answer(200 if well else 503, b"serves\n" if well else b"does not\n")
        elif self.path == "/metrics":
            self.answer(200, self.slurm.metrics(), "text/plain; version=0.0.4")
        else:
            self.answer(404, b"no such page\n")


class Gate(Answering):
    """
    Passes requests on to slurmrestd and answers back.
    """

    timeout = 120

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            self.answer(413, b"too large\n")
            return
        body = self.rfile.read(length) or None
        if self.path.startswith(ORDERS):
            proof = self.headers.get("X-SLURM-USER-TOKEN") or ""
            answer = self.slurm.order(self.command, self.path, proof, body)
            self.answer(*answer, "application/json")
            return
        headers = {k: v for k in _PASSED_ON if (v := self.headers.get(k))}
        line = http.client.HTTPConnection("127.0.0.1", REST_PORT, timeout=REST_SECONDS)
        try:
            line.request(self.command, self.path, body, headers)
            found = line.getresponse()
            said = found.read()
        except (OSError, http.client.HTTPException) as error:
            self.answer(502, f"slurmrestd does not answer: {error}\n".encode())
            return
        finally:
            line.close()
        self.answer(found.status, said, found.getheader("Content-Type") or "text/plain")


def main() -> None:
    """
    Answer for ever.
    """
    Answering.slurm = Slurm()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(HOME / "certificate.pem", HOME / "key.pem")
    gate = http.server.ThreadingHTTPServer(("", GATE_PORT), Gate)
    # The handshake is the connection's own thread's, so that a client that says nothing holds up nobody.
    gate.socket = context.wrap_socket(
        gate.socket, server_side=True, do_handshake_on_connect=False
    )
    health = http.server.ThreadingHTTPServer(("", HEALTH_PORT), Health)
    gate.daemon_threads = health.daemon_threads = True
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    health.serve_forever()
