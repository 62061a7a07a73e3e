"""
Shortages: an instance that runs out of memory, or whose disks are full.

Memory is taken by a file that lies in it and is charged to the instance, as a leak does that comes back after every restart of the
service. Stopping, restarting or deleting the instance ends it.
"""

from __future__ import annotations

import os
import subprocess
import sys

from fournines_sandbox.compute import disk, rootfs
from fournines_sandbox.compute.machine import Machine, MachineError
from fournines_sandbox.faults import hog

_LEFT_MB = 12
"""What everything else in the instance may use: its init alone needs most of it."""

_ATTEMPTS = 40
"""Whoever fills the memory is sometimes the one the kernel kills for it."""


def eat_memory(machine: Machine) -> None:
    """
    Leave an instance too little memory; returns once that is so.

    Raises:
        MachineError: The machine does not limit memory, or the memory was not to be had.
    """
    group = machine.group.memory
    if group is None:
        raise MachineError("this machine does not limit instances' memory (no memory controller)")
    disk.mount_in_memory(machine.hoard)
    words = [str(group), str(machine.hoard / "eaten"), str(_LEFT_MB)]
    for _ in range(_ATTEMPTS):
        done = subprocess.run(
            [sys.executable, "-I", "-S", hog.__file__, *words], capture_output=True, check=False
        )
        if done.returncode >= 0:
            break
    if done.returncode != 0:
        rootfs.unmount(machine.hoard)
        told = done.stderr.decode(errors="replace").strip()[-300:]
        raise MachineError(f"the memory of {machine.uuid} could not be eaten: {told}")


def free_memory(machine: Machine) -> None:
    """Give the memory back; nothing when none was taken."""
    rootfs.unmount(machine.hoard)


def memory_eaten(machine: Machine) -> bool:
    """Whether memory was taken from here."""
    return os.path.ismount(machine.hoard)


def fill_disks(machine: Machine) -> None:
    """
    Fill all an instance can write to: its disk and its volumes.

    Raises:
        MachineError: It has no disk of its own size.
    """
    disks = machine.disks
    if not disks:
        raise MachineError(f"instance {machine.uuid} has no disk with an end; recreate it")
    for directory in disks:
        disk.fill(directory)


def relieve_disks(machine: Machine) -> None:
    """Give the disks their space back; nothing when they were not filled."""
    for directory in machine.disks:
        disk.relieve(directory)


def disks_filled(machine: Machine) -> bool:
    """Whether the disks were filled from here."""
    return any((directory / disk.FILLER).exists() for directory in machine.disks)
