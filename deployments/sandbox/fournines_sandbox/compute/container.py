"""
One system container: systemd as its init, a root directory, a network namespace and a control group.

The container is nobody's child: it outlives whoever started it, and is found again by its record (pid and start time).
What is known of a container is asked of the kernel each time, so that a death nobody announced is seen.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from fournines_sandbox.compute.cgroup import ControlGroup
from fournines_sandbox.compute.command import CommandError
from fournines_sandbox.compute.process import Process

_START_SECONDS = 20.0  # nspawn needs 0.1 s; the rest is for a machine with twenty others booting
_DEATH_SECONDS = 10.0

# The subshell moves itself (pid 0) into the groups, then becomes the container's supervisor. It keeps none of our
# descriptors, so that its starter can go.
_LAUNCH = """
{ for group in $GROUPS; do echo 0 > "$group/cgroup.procs" || exit 70; done; exec "$@"; } </dev/null >>"$CONSOLE" 2>&1 &
echo $!
"""


class ContainerError(RuntimeError):
    """A container could not be started or did not die."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A directory of the machine shown inside the container."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """
    All that is needed to start one container.

    Args:
        name: Machine name, unique on this machine.
        root: Its mounted root directory.
        netns: Name of its network namespace.
        cgroup: Path of its control group.
        console: File to which its console is appended.
        uuid: Becomes its machine-id.
    """

    name: str
    hostname: str
    uuid: str
    root: Path
    netns: str
    cgroup: str
    console: Path
    memory_mb: int
    vcpus: int
    binds: tuple[Bind, ...] = ()

    @property
    def group(self) -> ControlGroup:
        """Its control group."""
        return ControlGroup(self.cgroup)

    @property
    def command(self) -> list[str]:
        """The supervisor's command line."""
        return [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            "--keep-unit",
            f"--directory={self.root}",
            f"--machine={self.name}",
            f"--hostname={self.hostname}",
            f"--uuid={self.uuid}",
            f"--network-namespace-path=/run/netns/{self.netns}",
            "--drop-capability=CAP_NET_ADMIN",  # the port's packet filter is out of its reach
            "--console=read-only",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            *(f"--bind={bind.source}:{bind.target}" for bind in self.binds),
        ]


def start(spec: ContainerSpec) -> Process:
    """
    Start a container and wait until its init exists; returns its supervisor.

    Raises:
        ContainerError: It ended at once; the end of its console is in the message.
    """
    spec.group.create(memory_mb=spec.memory_mb, vcpus=spec.vcpus)
    environment = {
        "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        "GROUPS": " ".join(map(str, spec.group.directories)),
        "CONSOLE": str(spec.console),
        "SYSTEMD_LOG_LEVEL": "warning",
    }
    launched = subprocess.run(
        ["/bin/sh", "-c", _LAUNCH, "launch", *spec.command],
        env=environment,
        capture_output=True,
        start_new_session=True,
        check=False,
        timeout=_START_SECONDS,
    )
    if launched.returncode != 0:
        raise CommandError(
            spec.command, launched.returncode, launched.stderr.decode(errors="replace")
        )
    pid = int(launched.stdout)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        supervisor = Process.of(pid)
        if supervisor is None:
            break
        if init_of(supervisor):
            return supervisor
        time.sleep(0.01)
    tail = spec.console.read_bytes()[-600:].decode(errors="replace").strip()
    raise ContainerError(
        f"container {spec.name} did not start; its console ends with: {tail or '(nothing)'}"
    )


def init_of(supervisor: Process) -> Process | None:
    """The container's init (pid 1 inside), if container and supervisor are alive."""
    if not supervisor.alive:
        return None
    try:
        children = (
            Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text().split()
        )
    except OSError:
        return None
    for child in map(int, children):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{child}/status").read_text().splitlines():
                if line.startswith("NSpid:") and line.split()[-1] == "1" and len(line.split()) > 2:
                    return Process.of(child)
    return None


def kill(supervisor: Process, group: ControlGroup) -> None:
    """
    Pull the plug: kill init, and with it everything inside.

    Raises:
        ContainerError: Something survived.
    """
    init = init_of(supervisor)
    if init is not None:
        init.signal(signal.SIGKILL)
    group.thaw()  # frozen processes do not die
    if supervisor.wait(_DEATH_SECONDS if init else 0.2):
        return
    for pid in group.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not supervisor.wait(_DEATH_SECONDS):
        raise ContainerError(f"container supervisor {supervisor.pid} survives SIGKILL")


def shut_down(supervisor: Process, group: ControlGroup, seconds: float) -> bool:
    """
    Ask the container to power off; kill it after so many seconds. Whether it obeyed.
    """
    if not group.frozen:
        supervisor.signal(signal.SIGTERM)
        if supervisor.wait(seconds):
            return True
    kill(supervisor, group)
    return False
