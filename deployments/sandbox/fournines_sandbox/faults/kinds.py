"""
The kinds of fault, as a table: what each does to an instance, and how to see that it holds.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fournines_sandbox.compute.machine import Machine
from fournines_sandbox.compute.record import Power
from fournines_sandbox.faults import software


class FaultError(RuntimeError):
    """A fault could not be injected or undone; nothing was changed."""


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


def _software(mode: str, machine: Machine, seconds: float) -> None:
    software.interpose(machine, mode, seconds)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kill", "is dead: its init was killed", _kill),
        Kind("hang", "hangs: nothing in it runs, the network still answers", _hang),
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
    )
}


def present(machine: Machine) -> str:
    """
    The fault an instance has now, seen from what is the case; empty when there is none.
    """
    known = machine.record
    if known is None or known.power is not Power.ON:
        return ""
    if not machine.running:
        return "kill"
    if machine.group.frozen:
        return "hang"
    return software.interposed(machine)


def strike(machine: Machine, kind: str, seconds: float) -> str:
    """
    Break an instance; returns the sentence that says so.

    Raises:
        FaultError: It is broken already, or not running.
    """
    with machine.exclusively():
        known = machine.known
        if known.power is not Power.ON:
            raise FaultError(f"{known.name} is not running ({known.power}); start it first")
        already = present(machine)
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
        software.withdraw(machine)
        if broken == "hang":
            machine.group.thaw()
    if broken == "kill":
        machine.power_on()
    if broken:
        return broken, f"{known.name} is mended ({broken})"
    if known.power is Power.OFF:
        raise FaultError(
            f"{known.name} is off as far as Nova knows: `openstack server start {known.name}`"
        )
    return "", f"{known.name} was not broken"
