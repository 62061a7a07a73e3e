"""
What is remembered of one instance, as a file: enough to start it again without asking Nova.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from fournines_sandbox.compute.process import Process

FILE = "record.json"


class Power(StrEnum):
    """What the API last asked of an instance; whether it still holds is asked of the kernel."""

    ON = "on"
    OFF = "off"
    PAUSED = "paused"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Attachment:
    """
    A volume on an instance.

    Args:
        device: Name without `/dev/`, as the API shows it: `vdb`.
        file: The volume's bytes on this machine.
    """

    device: str
    volume_id: str
    file: str

    @property
    def target(self) -> str:
        """Where its file system is inside the instance."""
        return f"/volumes/{self.device}"


@dataclass(frozen=True, slots=True)
class Record:
    """
    One instance.

    Args:
        uuid: Nova's id.
        name: Its display name.
        host: The simulated host it is on.
        disk_gb: Size of its own disk; 0 when it boots from a volume, or is older than this.
        image: Key of the unpacked image below its layer; empty when it boots from a volume.
        root_volume: File of the volume it boots from.
        supervisor: The container's supervisor when it was last started.
    """

    uuid: str
    name: str
    hostname: str
    host: str
    memory_mb: int
    vcpus: int
    disk_gb: int = 0
    image: str = ""
    root_volume: str = ""
    power: Power = Power.OFF
    attachments: tuple[Attachment, ...] = ()
    supervisor: Process | None = None

    def but(self, **changes: Any) -> Record:
        """A copy with changes."""
        return dataclasses.replace(self, **changes)

    def save(self, directory: Path) -> None:
        """Write it, wholly or not at all."""
        scratch = directory / f".{FILE}"
        scratch.write_text(json.dumps(dataclasses.asdict(self), indent=1))
        scratch.replace(directory / FILE)


def load(directory: Path) -> Record | None:
    """The record in an instance's directory; None if there is none (yet, or any more)."""
    try:
        told = json.loads((directory / FILE).read_text())
    except FileNotFoundError:
        return None
    told["power"] = Power(told["power"])
    told["attachments"] = tuple(Attachment(**item) for item in told["attachments"])
    told["supervisor"] = Process(**told["supervisor"]) if told["supervisor"] else None
    return Record(**told)
