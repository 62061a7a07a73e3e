"""
Processes that stand beside an instance and share its fate: when it stops, they go.

Each is a file in the instance's directory, so that whoever stops the instance finds them, whoever started them.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fournines_sandbox.compute.process import Process
from fournines_sandbox.network import kernel

_DIRECTORY = "companions"
_DEATH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Companion:
    """
    One such process.

    Args:
        table: Table of family inet in the instance's namespace that leads traffic to it; removed before it dies.
    """

    name: str
    process: Process
    netns: str
    table: str

    def save(self, directory: Path) -> None:
        """Write it into an instance's directory."""
        (directory / _DIRECTORY).mkdir(parents=True, exist_ok=True)
        (directory / _DIRECTORY / f"{self.name}.json").write_text(json.dumps(asdict(self)))

    def dismiss(self, directory: Path) -> None:
        """End it and forget it."""
        if kernel.netns_exists(self.netns):
            kernel.nft(
                f"table inet {self.table} {{}}\ndelete table inet {self.table}\n", self.netns
            )
        if self.process.signal(signal.SIGKILL):
            self.process.wait(_DEATH_SECONDS)
        with contextlib.suppress(FileNotFoundError):
            (directory / _DIRECTORY / f"{self.name}.json").unlink()


def all_of(directory: Path) -> Iterator[Companion]:
    """The companions of the instance with this directory."""
    for path in sorted((directory / _DIRECTORY).glob("*.json")):
        told = json.loads(path.read_text())
        yield Companion(**{**told, "process": Process(**told["process"])})


def dismiss_all(directory: Path) -> None:
    """End them all; idempotent."""
    for companion in list(all_of(directory)):
        companion.dismiss(directory)
