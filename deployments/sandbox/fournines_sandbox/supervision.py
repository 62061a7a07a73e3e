"""
Keeping the cloud's processes alive: supervisord with a generated configuration and a socket of its own.

One of its processes, the keeper, outlives it and starts it again should it die; all others die with their supervisor,
so two generations never meet. What the services launch detached (instances, load balancers) outlives all of them.
"""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path

from supervisor.xmlrpc import Faults, SupervisorTransport

from fournines_sandbox import database
from fournines_sandbox.site import Site

SERVICES = (
    "keystone",
    "placement",
    "glance",
    "neutron",
    "nova",
    "cinder",
    "octavia",
    "swift",
)
EXTRAS = ("lbmetrics", "depot")
"""Supervised processes that serve no OpenStack API."""

_KEEPER = "keeper"
_LOG_BYTES_MAX = 10_000_000
_LOG_BACKUPS = 2
_START_SECONDS_MAX = 20
_STOP_SECONDS_MAX = 30


class SupervisionError(RuntimeError):
    """
    The supervisor did not start or stop; the message names its log.
    """


@dataclass(frozen=True, slots=True)
class Process:
    """
    One supervised process as the supervisor sees it.

    Args:
        state: Supervisor's word: RUNNING, STARTING, BACKOFF, FATAL, STOPPED ...
        pid: 0 when it does not run.
        seconds: Since it started.
    """

    name: str
    state: str
    pid: int
    seconds: int


def programs(site: Site) -> dict[str, list[str]]:
    """
    The supervised processes and their commands.
    """
    found = {_KEEPER: _keeper(site), "mariadb": database.command(site)}
    for name in (*SERVICES, *EXTRAS):
        module = f"fournines_sandbox.services.{name}"
        if importlib.util.find_spec(module) is not None:
            found[name] = [str(site.venv / "bin" / "python"), "-m", module]
    return found


def write(site: Site) -> None:
    """
    Write supervisord's configuration.
    """
    lines = [
        "[unix_http_server]",
        f"file={_socket(site)}",
        "chmod=0700",
        "[supervisord]",
        f"logfile={site.log}/supervisor.log",
        f"logfile_maxbytes={_LOG_BYTES_MAX}",
        f"logfile_backups={_LOG_BACKUPS}",
        f"pidfile={site.run}/supervisor.pid",
        f"childlogdir={site.log}",
        "minfds=4096",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisorctl]",
        f"serverurl=unix://{_socket(site)}",
    ]
    environment = ",".join(f'{name}="{value}"' for name, value in _environment(site).items())
    for name, argv in programs(site).items():
        bound = argv if name == _KEEPER else ["setpriv", "--pdeathsig", "TERM", *argv]
        lines += [
            f"[program:{name}]",
            f"command={shlex.join(bound)}",
            f"directory={site.home}",
            f"environment={environment}",
            "autorestart=true",
            "startsecs=1",
            "startretries=60",
            f"stopwaitsecs={_STOP_SECONDS_MAX if name == 'mariadb' else 5}",
            f"priority={1 if name == 'mariadb' else 10}",
            "redirect_stderr=true",
            f"stdout_logfile={site.log}/{name}.log",
            f"stdout_logfile_maxbytes={_LOG_BYTES_MAX}",
            f"stdout_logfile_backups={_LOG_BACKUPS}",
        ]
    _configuration(site).write_text("\n".join(lines) + "\n")


def start(site: Site) -> None:
    """
    Start the supervisor and, through it, everything else; running already is fine.

    Raises:
        SupervisionError: The supervisor's socket did not appear.
    """
    if running(site):
        return
    _wanted(site).touch()
    with (site.log / "supervisor.out").open("ab") as out:
        subprocess.run(
            _supervisord(site),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=site.home,
            env=_environment(site),
            check=False,
        )
    deadline = time.monotonic() + _START_SECONDS_MAX
    while not running(site):
        if time.monotonic() > deadline:
            raise SupervisionError(f"supervisord did not start; see {site.log}/supervisor.out")
        time.sleep(0.1)


def stop(site: Site) -> None:
    """
    Stop every supervised process and the supervisor; return when they are gone.
    """
    _wanted(site).unlink(missing_ok=True)
    if not running(site):
        return
    _server(site).supervisor.shutdown()
    deadline = time.monotonic() + _STOP_SECONDS_MAX + 10
    while _socket(site).exists() or running(site):
        if time.monotonic() > deadline:
            raise SupervisionError(f"supervisord did not stop; see {site.log}/supervisor.log")
        time.sleep(0.1)


def running(site: Site) -> bool:
    """
    Whether the supervisor answers.
    """
    try:
        _server(site).supervisor.getState()
    except (OSError, xmlrpc.client.Error):
        return False
    return True


def processes(site: Site) -> list[Process]:
    """
    The supervised processes; none when the supervisor does not run.
    """
    try:
        answer = _server(site).supervisor.getAllProcessInfo()
    except (OSError, xmlrpc.client.Error):
        return []
    assert isinstance(answer, list)
    return [
        Process(
            name=item["name"],
            state=item["statename"],
            pid=item["pid"],
            seconds=max(item["now"] - item["start"], 0) if item["pid"] else 0,
        )
        for item in answer
    ]


def halt(site: Site, name: str) -> None:
    """
    Stop one process until it is resumed; stopped already is fine.

    Raises:
        SupervisionError: The supervisor does not run.
    """
    try:
        _server(site).supervisor.stopProcess(name)
    except OSError as error:
        raise SupervisionError("the cloud does not run") from error
    except xmlrpc.client.Fault as error:
        if error.faultCode != Faults.NOT_RUNNING:
            raise SupervisionError(f"{name} was not stopped: {error.faultString}") from error


def resume(site: Site, name: str) -> bool:
    """
    Start a stopped process; whether it was stopped.

    Raises:
        SupervisionError: The supervisor does not run.
    """
    try:
        _server(site).supervisor.startProcess(name, False)
    except OSError as error:
        raise SupervisionError("the cloud does not run") from error
    except xmlrpc.client.Fault as error:
        if error.faultCode == Faults.ALREADY_STARTED:
            return False
        raise SupervisionError(f"{name} was not started: {error.faultString}") from error
    return True


def reload(site: Site) -> list[str]:
    """
    Make a running supervisor follow a configuration written since, restarting only what changed.

    Returns:
        Names of the processes that changed.
    """
    server = _server(site).supervisor
    answer = server.reloadConfig()
    assert isinstance(answer, list)
    added, changed, removed = answer[0]
    for name in [*removed, *changed]:
        server.stopProcessGroup(name)
        server.removeProcessGroup(name)
    for name in [*added, *changed]:
        server.addProcessGroup(name)
    return [*added, *changed, *removed]


def _supervisord(site: Site) -> list[str]:
    python = str(site.venv / "bin" / "python")
    return [python, "-m", "supervisor.supervisord", "-c", str(_configuration(site))]


def _keeper(site: Site) -> list[str]:
    """A shell, because it is the smallest program that can watch its parent: it costs a megabyte."""
    again = f"[ -e {shlex.quote(str(_wanted(site)))} ] && exec {shlex.join(_supervisord(site))}"
    # Once the supervisor is dead, its pipe kills whoever writes a word into it.
    quiet = f"exec >>{shlex.quote(str(site.log / 'supervisor.out'))} 2>&1"
    watch = "parent=$PPID; while kill -0 $parent 2>/dev/null; do sleep 1; done"
    return ["sh", "-c", f"{quiet}; {watch}; {again}"]


def _environment(site: Site) -> dict[str, str]:
    return {
        **site.environment,
        "PATH": f"{site.venv}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/root",
        "PYTHONUNBUFFERED": "1",
        # Two arenas: many threads would otherwise keep many half-empty heaps.
        "MALLOC_ARENA_MAX": "2",
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1",
        "OS_CINDER_DISABLE_EVENTLET_PATCHING": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _server(site: Site) -> xmlrpc.client.ServerProxy:
    transport = SupervisorTransport(None, None, f"unix://{_socket(site)}")
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport)


def _socket(site: Site) -> Path:
    return site.run / "supervisor.sock"


def _wanted(site: Site) -> Path:
    return site.run / "wanted"


def _configuration(site: Site) -> Path:
    return site.etc / "supervisord.conf"
