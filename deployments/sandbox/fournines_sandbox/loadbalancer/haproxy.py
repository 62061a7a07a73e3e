"""
The HAProxy of one load balancer: started, changed, reloaded, stopped.

Level-triggered: `apply` compares what runs with what is wanted, so it may be repeated at any time, also by another
process than the one that started HAProxy. HAProxy is detached and has a cgroup of its own, so it outlives Octavia's
process; the file `haproxy.cfg` is always the configuration of what runs.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

from fournines_sandbox.compute.cgroup import ControlGroup
from fournines_sandbox.compute.process import Process
from fournines_sandbox.loadbalancer import namespace
from fournines_sandbox.loadbalancer.runtime import Control, ControlError, commands
from fournines_sandbox.loadbalancer.seat import Seat

BINARY = "/usr/sbin/haproxy"

START_SECONDS_MAX = 10.0
"""A start takes 0.05 s; on a machine under load a hundred times that has been seen."""

STOP_SECONDS_MAX = 2.0
"""What the kernel may take to end a killed process."""

_DESCRIPTORS_PER_CONNECTION = 3
_DESCRIPTORS_RESERVED = 500
_ALONE = 'for file in $CGROUPS; do echo 0 > "$file"; done; exec nsenter --net="$NAMESPACE" "$@"'


class HAProxyError(Exception):
    """
    HAProxy could not be brought to what was asked for; what ran before still runs.
    """


def connections_max() -> int:
    """
    What this process's limit of file descriptors lets one HAProxy hold.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        hard = 65536
    return max(100, min(20000, (hard - _DESCRIPTORS_RESERVED) // _DESCRIPTORS_PER_CONNECTION))


def version() -> tuple[str, ...]:
    """
    Major and minor version of the installed HAProxy.
    """
    first = subprocess.run([BINARY, "-v"], check=True, capture_output=True, text=True).stdout
    return tuple(first.split()[2].split(".")[:2])


class HAProxy:
    """
    One load balancer's HAProxy. Not thread-safe: its owner serialises the calls.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._cgroup = ControlGroup(seat.cgroup)
        self.control = Control(seat.socket)

    def apply(self, wanted: str, *, fresh: bool = False) -> str:
        """
        Bring HAProxy to a configuration, in the gentlest way that does it.

        Args:
            wanted: The configuration; empty when nothing is to be served.
            fresh: Replace the process whatever it runs, as a failover does.

        Returns:
            What was done: `stopped`, `started`, `unchanged`, `told` or `reloaded`.

        Raises:
            HAProxyError: HAProxy refuses the configuration.
        """
        if not wanted:
            self.stop()
            return "stopped"
        if fresh or self._displaced():
            self.stop()
        pid = self.pid()
        if pid is None:
            self._launch(wanted, replacing=None)
            return "started"
        running = _read(self._seat.configuration)
        if running == wanted:
            return "unchanged"
        told = commands(running, wanted)
        if told is not None and self._tell(told):
            _write(self._seat.configuration, wanted)
            return "told"
        self._save_state()
        self._launch(wanted, replacing=pid)
        return "reloaded"

    def pid(self) -> int | None:
        """
        The process that serves, None when there is none.
        """
        recorded = _read(self._seat.pid_file).split()
        if not recorded:
            return None
        pid = int(recorded[-1])
        return pid if self._is_ours(pid) else None

    def stop(self) -> None:
        """
        End every process of this load balancer at once, and forget what it knew.
        """
        dying = [process for pid in self._cgroup.processes() if (process := Process.of(pid))]
        for process in dying:
            process.signal(signal.SIGKILL)
        self._cgroup.thaw()  # a frozen process takes its death only then
        for process in dying:
            process.wait(STOP_SECONDS_MAX)
        for path in (
            self._seat.pid_file,
            self._seat.state,
            self._seat.configuration,
            self._seat.socket,
        ):
            path.unlink(missing_ok=True)
        self._cgroup.remove()

    def forget(self) -> None:
        """
        Stop, and remove the directory.
        """
        self.stop()
        shutil.rmtree(self._seat.directory, ignore_errors=True)

    # -- what is done to the process

    def _tell(self, told: list[str]) -> bool:
        try:
            for command in told:
                self.control.tell(command)
        except ControlError:
            return False  # a reload does it as well
        return True

    def _save_state(self) -> None:
        # Members that are down stay down across the reload, instead of taking traffic until their first checks fail.
        try:
            _write(self._seat.state, self.control.ask("show servers state") + "\n")
        except ControlError:
            self._seat.state.unlink(missing_ok=True)

    def _launch(self, wanted: str, *, replacing: int | None) -> None:
        seat = self._seat
        seat.directory.mkdir(parents=True, exist_ok=True)
        seat.socket.parent.mkdir(parents=True, exist_ok=True)
        seat.state.touch()
        candidate = seat.configuration.with_suffix(".new")
        _write(candidate, wanted)
        command = [BINARY, "-D", "-f", str(candidate), "-p", str(seat.pid_file)]
        if replacing is not None:
            command += ["-x", str(seat.socket), "-sf", str(replacing)]
        self._run(command)
        candidate.replace(seat.configuration)

    def _run(self, command: list[str]) -> None:
        cgroups = []
        for hierarchy in self._cgroup.directories:
            hierarchy.mkdir(parents=True, exist_ok=True)
            cgroups.append(str(hierarchy / "cgroup.procs"))
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", _ALONE, "sh", *command],
                env={
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                    "CGROUPS": " ".join(cgroups),
                    "NAMESPACE": str(namespace.path_of(self._seat.namespace)),
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                cwd="/",
                start_new_session=True,
                timeout=START_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HAProxyError(f"HAProxy did not start within {START_SECONDS_MAX:g} s") from error
        if done.returncode != 0:
            alerts = [line for line in done.stderr.splitlines() if "ALERT" in line] or [done.stderr]
            raise HAProxyError(f"HAProxy refuses its configuration: {' '.join(alerts)[:600]}")

    # -- what is seen of the process

    def _displaced(self) -> bool:
        # After an unclean death the namespace may have been made anew around a HAProxy that still runs in the old one.
        pid = self.pid()
        if pid is None:
            return bool(self._cgroup.processes())
        try:
            inside = Path(f"/proc/{pid}/ns/net").stat()
        except OSError:
            return True
        return namespace.identity(self._seat.namespace) != (inside.st_dev, inside.st_ino)

    def _is_ours(self, pid: int) -> bool:
        # Known by the pid file it was started with: pids are used again, directories of load balancers are not.
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self._seat.pid_file) in arguments


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    # Whole or not at all, and on the disk before it is relied on after an unclean death.
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text)
    draft.replace(path)
