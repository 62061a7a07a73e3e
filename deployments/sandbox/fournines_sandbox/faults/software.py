"""
Software faults: the service of an instance misbehaves, whatever it is and without its help.

A proxy process in the instance's network namespace takes its incoming connections. It is the instance's companion:
stopping, restarting or deleting the instance ends it.
"""

from __future__ import annotations

import subprocess
import sys

from fournines_sandbox.compute import companion
from fournines_sandbox.compute.companion import Companion
from fournines_sandbox.compute.machine import Machine, MachineError
from fournines_sandbox.compute.process import Process
from fournines_sandbox.faults import proxy
from fournines_sandbox.network import kernel

_PORT = 64999
_TABLE = "fault"
_READY_SECONDS = 15.0

# New connections are led to the proxy. Those that were open before the fault never passed the translation and are
# reset, or a load balancer that keeps connections would not notice anything.
_SCRIPT = f"""
table inet {_TABLE} {{
  chain lead {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "lo" meta nfproto ipv4 tcp dport != {{ 22, {_PORT} }} redirect to :{_PORT}
  }}
  chain cut {{
    type filter hook input priority filter - 5; policy accept;
    iifname != "lo" meta l4proto tcp ct direction original ct status & dnat == 0 tcp dport != 22 reject with tcp reset
  }}
}}
"""


def interpose(machine: Machine, mode: str, seconds: float) -> None:
    """
    Put a proxy of this mode before an instance.

    Raises:
        MachineError: The proxy did not start.
    """
    enter = ["nsenter", f"--net={kernel.NETNS_DIRECTORY / machine.netns}"]
    program = [sys.executable, "-I", "-S", proxy.__file__, mode, str(_PORT), str(seconds)]
    with (machine.directory / "fault.log").open("wb") as log:
        child = subprocess.Popen(
            [*enter, *program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    assert child.stdout is not None
    said = child.stdout.readline()
    process = Process.of(child.pid)
    if said.strip() != b"ready" or process is None:
        child.kill()
        raise MachineError(
            f"the fault proxy of {machine.uuid} did not start; see {machine.directory}/fault.log"
        )
    stands = Companion(name=mode, process=process, netns=machine.netns, table=_TABLE)
    stands.save(machine.directory)
    try:
        kernel.nft(_SCRIPT, machine.netns)
    except BaseException:
        stands.dismiss(machine.directory)
        raise


def interposed(machine: Machine) -> str:
    """The mode of the proxy before an instance; empty when there is none."""
    return next(
        (found.name for found in companion.all_of(machine.directory) if found.process.alive), ""
    )


def withdraw(machine: Machine) -> None:
    """Take the proxy away; idempotent."""
    companion.dismiss_all(machine.directory)
