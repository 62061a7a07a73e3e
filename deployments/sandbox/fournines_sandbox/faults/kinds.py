"""
The kinds of fault of one instance, as a table: what each does to it, and how to see that it holds.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fournines_sandbox.compute.machine import Machine
from fournines_sandbox.compute.record import Power, Record
from fournines_sandbox.faults import shortage, software, standing
from fournines_sandbox.faults.problem import FaultError
from fournines_sandbox.network import cable


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One kind of fault.

    Args:
        meaning: What happens, for people; completes "INSTANCE ...".
        strike: Makes it happen; the number is the delay in seconds of kinds that delay.
    """

    name: str
    meaning: str
    strike: Callable[[Machine, float], None]


def _kill(machine: Machine, _seconds: float) -> None:
    init = machine.init
    if init is not None:
        init.signal(signal.SIGKILL)


def _hang(machine: Machine, _seconds: float) -> None:
    machine.group.freeze()


def _cut(machine: Machine, _seconds: float) -> None:
    cable.pull(machine.site, {machine.netns})


def _software(mode: str, machine: Machine, seconds: float) -> None:
    software.interpose(machine, mode, seconds)


def _full_disk(machine: Machine, _seconds: float) -> None:
    shortage.fill_disks(machine)


def _memory(machine: Machine, _seconds: float) -> None:
    shortage.eat_memory(machine)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kill", "is dead: its init was killed", _kill),
        Kind("hang", "hangs: nothing in it runs, the network still answers", _hang),
        Kind("cut", "is cut off: it runs, and no packet passes its ports", _cut),
        Kind("errors", "answers every request with 500", partial(_software, "errors")),
        Kind(
            "grey-errors",
            "answers 500 to everything but /healthz and /metrics",
            partial(_software, "grey-errors"),
        ),
        Kind(
            "grey-slow",
            "answers everything but /healthz and /metrics late",
            partial(_software, "grey-slow"),
        ),
        Kind(
            "full-disk", "has no room on its disk and volumes: nothing can be written", _full_disk
        ),
        Kind("memory", "runs out of memory: what is left is too little for its service", _memory),
    )
}


def present(machine: Machine) -> str:
    """
    The fault an instance has now, seen from what is the case; empty when there is none.
    """
    known = machine.record
    if known is None or known.power is not Power.ON:
        return ""
    if standing.host_down(machine.site, known.host):
        return f"its host {known.host} is down"
    if not machine.running:
        return "kill"
    signs = {
        "hang": machine.group.frozen,
        "cut": cable.pulled(machine.site, machine.netns),
        "full-disk": shortage.disks_filled(machine),
        "memory": shortage.memory_eaten(machine),
    }
    return next((kind for kind, seen in signs.items() if seen), software.interposed(machine))


def strike(machine: Machine, kind: str, seconds: float) -> str:
    """
    Break an instance; returns the sentence that says so. Broken in this way already is fine.

    Raises:
        FaultError: It is broken in another way already, or not running.
    """
    with machine.exclusively():
        known = machine.known
        if known.power is not Power.ON:
            raise FaultError(f"{known.name} is not running ({known.power}); start it first")
        already = present(machine)
        if already == kind:
            return f"{known.name} {KINDS[kind].meaning} (as before)"
        if already:
            raise FaultError(f"{known.name} is broken already ({already}); mend it first")
        KINDS[kind].strike(machine, seconds)
    return f"{known.name} {KINDS[kind].meaning}"


def mend(machine: Machine) -> tuple[str, str]:
    """
    Undo what was broken; returns the kind (empty: none) and the sentence that says so.

    Raises:
        FaultError: Nova has noticed meanwhile and switched it off; only Nova can switch it on.
    """
    with machine.exclusively():
        known = machine.known
        broken = present(machine)
        if standing.host_down(machine.site, known.host):
            raise FaultError(f"{broken}; mend the host: `mend {known.host}`")
        software.withdraw(machine)
        if cable.pulled(machine.site, machine.netns):
            cable.plug_in(machine.site, {machine.netns})
        shortage.relieve_disks(machine)
        shortage.free_memory(machine)
        if broken == "hang":
            machine.group.thaw()
    if broken == "kill":
        machine.power_on()
    return _told(known, broken)


def _told(known: Record, broken: str) -> tuple[str, str]:
    if broken:
        return broken, f"{known.name} is mended ({broken})"
    if known.power is Power.OFF:
        raise FaultError(
            f"{known.name} is off as far as Nova knows: `openstack server start {known.name}`"
        )
    return "", f"{known.name} was not broken"
