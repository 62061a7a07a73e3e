"""
Taking away what the healer sees and records with: Prometheus, Alertmanager, Prefect's server or its database.

A program is stopped and stays so until it is resumed. Prefect's database is locked by a process that holds a write
transaction open, so that the server answers and can record nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from fournines.local import supervision
from fournines.settings import ROOT, Settings

PROGRAMS = {
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "prefect": "prefect-server",
}
"""What can be taken away, and the supervised program it is."""

DATABASE = "database"

SENTENCES = {
    "prometheus": "Prometheus is down: nothing is measured, no rule fires",
    "alertmanager": "Alertmanager is down: no alert reaches the healer",
    "prefect": "the Prefect server is down: no run can be shown or started",
    DATABASE: "Prefect's database is locked: the server answers and records nothing",
}
"""What is the case, for people."""

# A write transaction, held open until this process is ended.
_LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(86400)
"""


class BlindingError(Exception):
    """
    It could not be taken away or given back; the message says why.
    """


def strike(settings: Settings, what: str, seconds: float | None = None) -> str:
    """
    Take it away, for ever or for so many seconds; taken away already is fine. Returns a sentence.

    Raises:
        BlindingError: Nothing local runs.
    """
    if not supervision.running(settings):
        raise BlindingError(f"{what} does not run here; run: fournines up")
    _disarm(settings, what)
    if what == DATABASE:
        _lock(settings)
    else:
        supervision.halt(settings, PROGRAMS[what])
    if seconds:
        _arm(settings, what, seconds)
    return SENTENCES[what]


def mend(settings: Settings, what: str) -> str:
    """
    Give it back; returns a sentence.

    Raises:
        BlindingError: Nothing local runs.
    """
    _disarm(settings, what)
    if what == DATABASE:
        was = _end(_file(settings, "lock"))
    elif not supervision.running(settings):
        raise BlindingError(f"{what} does not run here; run: fournines up")
    else:
        was = supervision.resume(settings, PROGRAMS[what])
    return f"{what} is back" if was else f"{what} was not taken away"


def mend_all(settings: Settings) -> list[str]:
    """
    Give back all that was taken away.
    """
    if not supervision.running(settings):
        return []
    stopped = {
        one.name for one in supervision.states(settings) if one.state == "STOPPED"
    }
    found = [what for what, program in PROGRAMS.items() if program in stopped]
    if _file(settings, "lock").exists():
        found.append(DATABASE)
    return [mend(settings, what) for what in found]


def _lock(settings: Settings) -> None:
    if _alive(_file(settings, "lock")):
        return
    database = settings.state_dir / "prefect" / "prefect.db"
    if not database.exists():
        raise BlindingError(f"Prefect has no database here: {database} is missing")
    holder = subprocess.Popen(
        [sys.executable, "-I", "-c", _LOCK, str(database)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert holder.stdout is not None
    if holder.stdout.readline().strip() != b"held":
        raise BlindingError("Prefect's database was busy for a minute; try again")
    _note(_file(settings, "lock"), holder.pid)


def _arm(settings: Settings, what: str, seconds: float) -> None:
    fournines = Path(sys.executable).parent / "fournines"
    timer = subprocess.Popen(
        ["sh", "-c", f"sleep {seconds:g}; exec {fournines} mend {what}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _note(_file(settings, what), timer.pid)


def _disarm(settings: Settings, what: str) -> None:
    _end(_file(settings, what))


def _file(settings: Settings, name: str) -> Path:
    return settings.state_dir / "run" / f"blind-{name}"


def _note(file: Path, pid: int) -> None:
    """A pid alone may be another program after a while; with its start time it may not."""
    file.write_text(f"{pid} {_started(pid)}")


def _started(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _alive(file: Path) -> bool:
    if not file.exists():
        return False
    pid, _, started = file.read_text().partition(" ")
    return bool(started) and _started(int(pid)) == started


def _end(file: Path) -> bool:
    """End the noted process and forget it; whether there was one. Never this process itself."""
    was = _alive(file)
    if was and (pid := int(file.read_text().split()[0])) != os.getpid():
        os.killpg(pid, signal.SIGKILL)
    file.unlink(missing_ok=True)
    return was
