"""
What several kinds of test need: a throw-away PostgreSQL, and how laws choose their examples.

The same commit has the same examples everywhere, so that a change is never refused for another one's fault; `make hunt` looks for others.
No example fails for being slow: on a busy machine each may be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("hunt", deadline=None, derandomize=False, max_examples=2_000)
settings.load_profile("repeatable")


def _postgresql_binaries() -> Path | None:
    found = [
        path.parent
        for path in (
            *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True),
            Path(shutil.which("initdb") or "/nonexistent/initdb"),
        )
        if path.exists()
    ]
    return found[0] if found else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """
    A throw-away PostgreSQL on a Unix socket; the server refuses to run as root, so root lends it to `nobody`.
    """
    binaries = _postgresql_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server on this machine (apt install postgresql)")
    as_user = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as home:
        if as_user:
            shutil.chown(home, "nobody", "nogroup")
        data = f"{home}/data"
        initdb = [f"{binaries}/initdb", "-D", data, "-A", "trust", "-U", "tester", "-N"]
        subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd=home)
        control = [*as_user, f"{binaries}/pg_ctl", "-D", data, "-w"]
        options = f"-c listen_addresses='' -k {home} -c fsync=off"
        start = [*control, "-l", f"{home}/log", "-o", options, "start"]
        subprocess.run(start, check=True, capture_output=True, cwd=home)
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={home}"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, capture_output=True, cwd=home)
