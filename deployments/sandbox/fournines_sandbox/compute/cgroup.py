"""
One control group per container, in every hierarchy the machine has.

Without a group of its own a container's systemd shares one with its neighbours, sees foreign processes and may wait for
them for ever. Both layouts are served: the single version 2 tree, and version 1 hierarchies side by side.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_VERSION_1 = ("systemd", "unified", "freezer", "memory", "cpu", "pids")
_CPU_PERIOD_MICROSECONDS = 100_000
_SHARES_PER_VCPU = 1024  # what a process outside of all groups weighs on version 1
_WEIGHT_PER_VCPU = 100  # and on version 2
_SHARES_MAX, _WEIGHT_MAX = 262_144, 10_000  # the kernel's own limits
_TASKS_MAX = 4096  # a runaway guest must not take the machine's pids with it


def version_2() -> bool:
    """Whether this machine has the single version 2 tree."""
    return (_MOUNT / "cgroup.controllers").exists()


def _put(path: Path, value: str | int) -> None:
    path.write_text(f"{value}\n")


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """
    A group by its path relative to each hierarchy's root.
    """

    path: str

    @property
    def directories(self) -> list[Path]:
        """Its directory in each hierarchy of this machine."""
        if version_2():
            return [_MOUNT / self.path]
        return [_MOUNT / name / self.path for name in _VERSION_1 if (_MOUNT / name).is_dir()]

    @property
    def memory(self) -> Path | None:
        """Its directory in the hierarchy that limits memory; None where the machine offers none."""
        found = _MOUNT / self.path if version_2() else _MOUNT / "memory" / self.path
        known = ("memory.max", "memory.limit_in_bytes")
        return found if any((found / name).exists() for name in known) else None

    def create(self, *, memory_mb: int, vcpus: int) -> None:
        """
        Make it in every hierarchy, with its limits.

        Limits are set as far as the machine offers the controller: a container without one still runs.
        """
        for directory in self.directories:
            directory.mkdir(parents=True, exist_ok=True)
        quota = vcpus * _CPU_PERIOD_MICROSECONDS
        if version_2():
            own = _MOUNT / self.path
            with contextlib.suppress(OSError):
                _put(own.parent / "cgroup.subtree_control", "+cpu +memory +pids")
            limits = {
                own / "memory.max": memory_mb << 20,
                own / "cpu.max": f"{quota} {_CPU_PERIOD_MICROSECONDS}",
                own / "pids.max": _TASKS_MAX,
                own / "cpu.weight": min(vcpus * _WEIGHT_PER_VCPU, _WEIGHT_MAX),
            }
        else:
            limits = {
                _MOUNT / "memory" / self.path / "memory.limit_in_bytes": memory_mb << 20,
                _MOUNT / "cpu" / self.path / "cpu.cfs_quota_us": quota,
                _MOUNT / "pids" / self.path / "pids.max": _TASKS_MAX,
                _MOUNT / "cpu" / self.path / "cpu.shares": min(
                    vcpus * _SHARES_PER_VCPU, _SHARES_MAX
                ),
            }
        for path, value in limits.items():
            with contextlib.suppress(OSError):
                _put(path, value)
        self._weigh_cloud()

    def _weigh_cloud(self) -> None:
        """
        Let the group of all containers weigh what they weigh together.

        Left alone it weighs as much as one process of the control plane: on a busy machine a dozen instances would share what that one gets, and fall
        silent by the dozen, which on no real host they do.
        """
        kind, most = ("cpu.weight", _WEIGHT_MAX) if version_2() else ("cpu.shares", _SHARES_MAX)
        cloud = (_MOUNT if version_2() else _MOUNT / "cpu") / Path(self.path).parent
        weight = 0
        for one in cloud.glob(f"*/{kind}"):
            with contextlib.suppress(OSError, ValueError):  # another thread may be removing it
                weight += int(one.read_text())
        if weight:
            with contextlib.suppress(OSError):
                _put(cloud / kind, min(weight, most))

    def _freezer(self) -> tuple[Path, str, str]:
        if version_2():
            return _MOUNT / self.path / "cgroup.freeze", "1", "0"
        return _MOUNT / "freezer" / self.path / "freezer.state", "FROZEN", "THAWED"

    def freeze(self) -> None:
        """Stop every process in it between two instructions."""
        path, frozen, _ = self._freezer()
        _put(path, frozen)

    def thaw(self) -> None:
        """Let them go on; nothing to do if the group is gone or was not frozen."""
        path, _, thawed = self._freezer()
        with contextlib.suppress(FileNotFoundError):
            _put(path, thawed)

    @property
    def frozen(self) -> bool:
        """Whether its processes are stopped."""
        path, frozen, _ = self._freezer()
        try:
            return path.read_text().strip() in (frozen, "FREEZING")
        except OSError:
            return False

    def processes(self) -> list[int]:
        """Pids in it and below it."""
        found: set[int] = set()
        for top in self.directories[:1]:
            for directory, _, _ in os.walk(top):
                with contextlib.suppress(OSError):
                    found.update(map(int, Path(directory, "cgroup.procs").read_text().split()))
        return sorted(found)

    def remove(self) -> bool:
        """
        Remove it and all below it; False if a process still holds it.

        The kernel lets go of a dead process's group a little later than of the process, so this waits up to a second.
        """
        for _ in range(100):
            for top in self.directories:
                for directory, _, _ in os.walk(top, topdown=False):
                    with contextlib.suppress(OSError):
                        Path(directory).rmdir()
            if not any(top.exists() for top in self.directories):
                self._weigh_cloud()
                return True
            time.sleep(0.01)
        return False
