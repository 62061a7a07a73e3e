"""
Which hosts' compute services do not run, as Nova's process tells it to those who break and mend.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from fournines_sandbox.compute.process import Process
from fournines_sandbox.site import Site

_FILE = "hosts-down.json"


def write(site: Site, process: Process, hosts: Iterable[str]) -> None:
    """Tell it; by the process that runs them."""
    draft = site.run / f".{_FILE}"
    draft.write_text(
        json.dumps({"pid": process.pid, "started": process.started, "down": sorted(hosts)})
    )
    draft.replace(site.run / _FILE)


def down(site: Site) -> set[str] | None:
    """The hosts without a compute service; None when Nova's process does not run (yet)."""
    try:
        told = json.loads((site.run / _FILE).read_text())
    except FileNotFoundError:
        return None
    return set(told["down"]) if Process(told["pid"], told["started"]).alive else None
