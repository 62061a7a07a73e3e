"""
Faults that concern more than one instance, as files: whoever serves looks there, whoever mends removes the file.

They lie in the cloud's run directory, so they end with it. What one instance has is asked of the kernel instead.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fournines_sandbox.site import Site

API = "api"
HOST = "host"
IMAGE = "image"
SLOW_BOOT = "slow-boot"


@dataclass(frozen=True, slots=True)
class Standing:
    """
    One fault that stands.

    Args:
        sort: What is broken: one of the words above.
        target: Which one of them; the id where there is one.
        name: The target's name, for people.
        facts: What the fault's own code needs.
    """

    sort: str
    target: str = ""
    name: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    since: float = 0.0

    def path(self, site: Site) -> Path:
        """Its file."""
        return path(site, self.sort, self.target)

    def save(self, site: Site) -> None:
        """Write it, wholly or not at all; again is fine."""
        file = self.path(site)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({**asdict(self), "since": self.since or time.time()}))
        draft.replace(file)

    def end(self, site: Site) -> None:
        """Remove it; again is fine."""
        self.path(site).unlink(missing_ok=True)


def directory(site: Site) -> Path:
    """Where the files are."""
    return site.run / "faults"


def path(site: Site, sort: str, target: str = "") -> Path:
    """The file of one fault."""
    return directory(site) / (f"{sort}--{target}.json" if target else f"{sort}.json")


def find(site: Site, sort: str, target: str = "") -> Standing | None:
    """The fault of this sort and target; None when there is none."""
    return _load(path(site, sort, target))


def all_of(site: Site, sort: str | None = None) -> list[Standing]:
    """Every fault that stands, or those of one sort."""
    if not directory(site).is_dir():
        return []
    found = [_load(file) for file in sorted(directory(site).glob("*.json"))]
    return [item for item in found if item and sort in (None, item.sort)]


def host_down(site: Site, host: str) -> bool:
    """Whether a simulated host is down; one look at the file system."""
    return path(site, HOST, host).exists()


def _load(file: Path) -> Standing | None:
    try:
        return Standing(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
