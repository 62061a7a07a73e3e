"""
The stage of the benches: real HAProxy as Octavia configures it, members, real Prometheus, Alertmanager and blackbox exporter with our generated
rules and configurations, and a real healer. Everything is a child of this process and ends with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Self

from alerts import configuration
from alerts.cadence import Cadence
from fournines import tokens
from fournines.settings import Settings
from tests.bench.bench_healer import MEMBER_PORT, METRICS_PORT, PAGE_PORT

ROOT = Path(__file__).resolve().parents[2]
SLOT = 48
READY_SECONDS = 90

_RENAMED = {
    "haproxy_backend_http_responses_total": "octavia_pool_http_responses_total",
    "haproxy_backend_status": "octavia_pool_status",
    "haproxy_backend_active_servers": "octavia_pool_active_members",
    "haproxy_backend_retry_warnings_total": "octavia_pool_retry_warnings_total",
    "haproxy_backend_current_sessions": "octavia_pool_current_sessions",
    "haproxy_server_http_responses_total": "octavia_member_http_responses_total",
    "haproxy_server_status": "octavia_member_status",
    "haproxy_server_weight": "octavia_member_weight",
    "haproxy_server_current_sessions": "octavia_member_current_sessions",
    "haproxy_server_response_time_average_seconds": "octavia_member_response_time_average_seconds",
    "haproxy_server_connection_errors_total": "octavia_member_connection_errors_total",
    "haproxy_server_server_aborts_total": "octavia_member_server_aborts_total",
}
"""What the amphora's own proxy renames, of what our configuration keeps."""

_LINE = re.compile(r"(\w+)\{(.*)$")


@dataclass
class Stage:
    """
    Processes and addresses. Use as a context manager; what was started is stopped by its process id.
    """

    state: Path
    services: int = 1
    members: int = 4
    loops: bool = False
    monitoring: bool = True
    real_members: bool = True
    cadence: Cadence = field(default_factory=Cadence)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    world: list[dict] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The addresses."""
        return Settings(state_dir=self.state, slot=SLOT)

    def __enter__(self) -> Self:
        self.state.mkdir(parents=True, exist_ok=True)
        tokens.ensure(self.settings.webhook_token_file)
        try:
            self._healer()
            if self.real_members:
                for one in self._members():
                    self.begin_member(one)
                self._haproxy()
            if self.monitoring:
                self._monitoring()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGCONT)
                child.terminate()
        for child in self.children.values():
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)

    def start(self, name: str, command: list[str], **environment: str) -> None:
        """One child; its output goes to a file of its name."""
        with (self.state / f"{name}.out").open("ab") as out:
            self.children[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=out,
                stderr=out,
                env={**os.environ, **environment},
            )

    def restart_healer(self) -> None:
        """Kill -9, and another one."""
        self.children["healer"].kill()
        self.children["healer"].wait()
        self._healer()

    def begin_member(self, one: dict) -> None:
        """Start a member's process."""
        program = str(Path(__file__).with_name("bench_member.py"))
        command = [sys.executable, program, one["address"], str(MEMBER_PORT)]
        self.start(one["name"], command)

    def behave(self, one: dict, kind: str) -> None:
        """Tell a member what it is from now on."""
        ask(f"http://{one['address']}:{MEMBER_PORT}/behave?{kind}")

    def calls(self) -> list[list]:
        """Changing calls of the cloud so far: [wall clock, name, arguments]."""
        file = self.state / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()]

    def _members(self) -> list[dict]:
        return [one for service in self.world for one in service["members"]]

    def _healer(self) -> None:
        asked = {
            "state": str(self.state),
            "slot": SLOT,
            "services": self.services,
            "members": self.members,
            "loops": self.loops,
        }
        self.start(
            "healer",
            [sys.executable, "-m", "tests.bench.bench_healer", json.dumps(asked)],
            PREFECT_API_URL="",
        )
        self._await(f"{self.settings.url('healer')}/healthz", "healer")
        self.world = json.loads((self.state / "world.json").read_text())

    def _haproxy(self) -> None:
        for number, service in enumerate(self.world):
            inner = 24_100 + number
            file = self.state / f"haproxy-{number}.cfg"
            file.write_text(_haproxy(service, inner))
            self.start(f"haproxy-{number}", ["haproxy", "-db", "-f", str(file)])
            _exporter(service["address"], inner)
        for service in self.world:
            self._await(f"http://{service['address']}:{PAGE_PORT}/", "haproxy")

    def _monitoring(self) -> None:
        chosen = self.settings
        at = configuration.Addresses(
            prometheus=f"127.0.0.1:{chosen.port('prometheus')}",
            alertmanager=f"127.0.0.1:{chosen.port('alertmanager')}",
            blackbox=f"127.0.0.1:{chosen.port('blackbox')}",
            healer=f"127.0.0.1:{chosen.port('healer')}",
            token_file=chosen.webhook_token_file,
            cadence=self.cadence,
        )
        for name, text in configuration.render(at).items():
            file = self.state / "etc" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        etc = self.state / "etc"
        self.start(
            "prometheus",
            configuration.prometheus_command(at, etc, self.state / "prometheus"),
            **configuration.PROMETHEUS_ENVIRONMENT,
        )
        self.start(
            "alertmanager",
            configuration.alertmanager_command(at, etc, self.state / "alertmanager"),
        )
        self.start("blackbox", configuration.blackbox_command(at, etc))
        self._await(f"{chosen.url('prometheus')}/-/ready", "prometheus")
        self._await(f"{chosen.url('alertmanager')}/-/ready", "alertmanager")

    def _await(self, url: str, name: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                ask(url)
                return
            for one, child in self.children.items():
                if child.poll() is not None:
                    text = (self.state / f"{one}.out").read_text()[-2_000:]
                    raise RuntimeError(f"{one} ended: {text}")
            time.sleep(0.1)
        raise RuntimeError(f"{name} is not ready after {READY_SECONDS} s")


def ask(url: str, timeout: float = 2.0) -> bytes:
    """GET."""
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read()


def _haproxy(service: dict, inner: int) -> str:
    """
    As Octavia's templates write it, with the health monitor that our blueprints ask for.
    """
    pool = f"{service['pool']}:{service['listener']}"
    servers = "\n".join(
        f"    server {one['id']} {one['address']}:{MEMBER_PORT} weight 1"
        " check inter 1s fall 2 rise 2"
        for one in service["members"]
    )
    return f"""
global
    nbthread 1
    maxconn 4000
defaults
    mode http
    retries 3
    option redispatch
    option http-keep-alive
    timeout client 50s
frontend internal
    bind 127.0.0.1:{inner}
    http-request use-service prometheus-exporter if {{ path /metrics }}
frontend {service["listener"]}
    bind {service["address"]}:{PAGE_PORT}
    default_backend {pool}
backend {pool}
    http-reuse safe
    balance roundrobin
    timeout check 1s
    option httpchk GET /healthz
    http-check expect rstatus 200
    timeout connect 1000
    timeout server 2000
{servers}
"""


def translate(text: str) -> str:
    """
    HAProxy's metrics in Octavia's words.
    """
    found = []
    for line in text.splitlines():
        parts = _LINE.match(line)
        if parts is None or parts[1] not in _RENAMED or 'proxy="internal"' in line:
            continue
        rest = parts[2].replace("proxy=", "pool=").replace("server=", "member=")
        found.append(f"{_RENAMED[parts[1]]}{{{rest}")
    return "\n".join(found) + "\n"


def _exporter(address: str, inner: int) -> None:
    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            """Ask HAProxy, and say it in Octavia's words."""
            body = translate(ask(f"http://127.0.0.1:{inner}/metrics").decode()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            """Say nothing."""

    server = ThreadingHTTPServer((address, METRICS_PORT), Page)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
