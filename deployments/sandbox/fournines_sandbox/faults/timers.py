"""
Faults for a time: a small process that waits, then mends.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from fournines_sandbox.compute.process import Process
from fournines_sandbox.faults import standing
from fournines_sandbox.site import Site

_SUFFIX = ".timer"


def arm(site: Site, target: str, seconds: float) -> None:
    """Have a target mended after so many seconds; an earlier timer of it is forgotten."""
    disarm(site, target)
    words = [
        *(sys.executable, "-m", "fournines_sandbox", "--home", str(site.home)),
        *("--slot", str(site.slot), "mend", target),
    ]
    # The shell becomes the mending, so that its pid is the timer's from begin to end.
    waiting = subprocess.Popen(
        ["sh", "-c", f"sleep {seconds:g}; exec {shlex.join(words)}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process = Process.of(waiting.pid)
    assert process is not None
    _file(site, target).parent.mkdir(parents=True, exist_ok=True)
    _file(site, target).write_text(json.dumps(asdict(process)))


def disarm(site: Site, target: str) -> None:
    """Forget the timer of a target."""
    _end(_file(site, target))


def disarm_all(site: Site) -> None:
    """Forget every timer."""
    for file in standing.directory(site).glob(f"*{_SUFFIX}"):
        _end(file)


def _end(file: Path) -> None:
    try:
        process = Process(**json.loads(file.read_text()))
    except FileNotFoundError:
        return
    file.unlink(missing_ok=True)
    if process.pid != os.getpid() and process.alive:
        os.killpg(process.pid, signal.SIGKILL)


def _file(site: Site, target: str) -> Path:
    return standing.directory(site) / f"{target}{_SUFFIX}"
