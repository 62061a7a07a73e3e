"""
Supervising the local programs with supervisord: it restarts what dies and keeps one log per program.

We render its configuration, start it, and talk to it over its unix socket.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import Faults, SupervisorTransport

from fournines.local import orphans
from fournines.local.programs import Program, environment
from fournines.settings import ROOT, Settings

_HEADER = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
logfile={log}/supervisord.log
logfile_maxbytes=5MB
pidfile={run}/supervisord.pid
directory={root}
minfds=4096
environment={environment}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{socket}
"""

_PROGRAM = """\

[program:{name}]
command={command}
environment={environment}
priority={priority}
autostart=true
autorestart=true
startsecs=1
startretries=1000
stopwaitsecs={stop_seconds}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={log}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


STOP_SECONDS = 30
"""Time for supervisord to end after its programs have."""


@dataclass(frozen=True, slots=True)
class ProgramState:
    """
    One program as its supervisor sees it: RUNNING, STARTING, BACKOFF, STOPPED, FATAL, EXITED.
    """

    name: str
    state: str
    pid: int
    since_seconds: float
    log: Path


def render(settings: Settings, programs: Iterable[Program]) -> str:
    """
    The configuration of supervisord.
    """
    places = {"log": settings.log_dir, "run": _run_dir(settings)}
    text = _HEADER.format(
        socket=socket(settings),
        root=_escape(str(ROOT)),
        environment=_environment(
            {**environment(settings), orphans.MARK: str(settings.state_dir)}
        ),
        **places,
    )
    for program in programs:
        text += _PROGRAM.format(
            name=program.name,
            command=_escape(shlex.join(program.command)),
            environment=_environment(program.environment),
            priority=program.priority,
            stop_seconds=program.stop_seconds,
            log=settings.log_dir,
        )
    return text


def start(settings: Settings, programs: Iterable[Program]) -> None:
    """
    Start supervisord, or bring a running one up to a changed configuration. Programs that did not change go on running.
    """
    for folder in (settings.log_dir, _run_dir(settings)):
        folder.mkdir(parents=True, exist_ok=True)
    file = _run_dir(settings) / "supervisord.conf"
    # The database's password may stand in the environment of programs.
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(render(settings, programs))
    bin_dir = Path(sys.executable).parent
    if running(settings):
        command = [str(bin_dir / "supervisorctl"), "-c", str(file), "update"]
    else:
        orphans.end_all(settings.state_dir)
        socket(settings).unlink(missing_ok=True)
        command = [str(bin_dir / "supervisord"), "-c", str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def stop(settings: Settings) -> None:
    """
    Stop every program and supervisord itself; nothing when it does not run.
    """
    if not running(settings):
        return
    server = _server(settings)
    server.supervisor.stopAllProcesses()
    server.supervisor.shutdown()
    deadline = time.monotonic() + STOP_SECONDS
    while running(settings) and time.monotonic() < deadline:
        time.sleep(0.1)


def reread(settings: Settings, names: Iterable[str]) -> None:
    """
    Have running programs read their configuration again (SIGHUP, as Prometheus and its kin understand it).
    """
    server = _server(settings)
    for name in names:
        server.supervisor.signalProcess(name, "HUP")


def halt(settings: Settings, name: str) -> None:
    """
    Stop one program until it is resumed; stopped already is fine.
    """
    try:
        _server(settings).supervisor.stopProcess(name)
    except xmlrpc.client.Fault as error:
        if error.faultCode != Faults.NOT_RUNNING:
            raise


def resume(settings: Settings, name: str) -> bool:
    """
    Start a stopped program; whether it was stopped.
    """
    try:
        _server(settings).supervisor.startProcess(name, False)
    except xmlrpc.client.Fault as error:
        if error.faultCode != Faults.ALREADY_STARTED:
            raise
        return False
    return True


def running(settings: Settings) -> bool:
    """
    Whether this checkout's supervisord answers.
    """
    try:
        _server(settings).supervisor.getState()
    except OSError:
        return False
    return True


def states(settings: Settings) -> tuple[ProgramState, ...]:
    """
    The programs as they are; empty when supervisord does not run.
    """
    try:
        infos: Any = _server(settings).supervisor.getAllProcessInfo()
    except OSError:
        return ()
    return tuple(
        ProgramState(
            name=info["name"],
            state=info["statename"],
            pid=info["pid"],
            since_seconds=float(max(0, info["now"] - info["start"])),
            log=Path(info["stdout_logfile"]),
        )
        for info in infos
    )


def socket(settings: Settings) -> Path:
    """
    The unix socket of supervisord.
    """
    return _run_dir(settings) / "supervisord.sock"


def _run_dir(settings: Settings) -> Path:
    return settings.state_dir / "run"


def _server(settings: Settings) -> Any:
    transport = SupervisorTransport(serverurl=f"unix://{socket(settings)}")
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)


def _environment(variables: dict[str, str]) -> str:
    return ",".join(
        f"{key}={json.dumps(_escape(value))}" for key, value in variables.items()
    )


def _escape(text: str) -> str:
    return text.replace("%", "%%")
