"""
What tests of decisions share.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.generation import rehearsal
from fournines.cloud.virtual_clock import VirtualClock
from fournines.store.database import connect
from fournines.store.memory import MemoryStore
from fournines.store.protocol import Store
from fournines.store.sql import open_store
from fournines.store.tables import METADATA
from tests.decide.stored_values import NOW


@pytest.fixture
def promtool(tmp_path):
    """
    Rehearse generated rules with Debian's promtool; a failed expectation fails the test with promtool's words.
    """
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")

    def rehearse(series, *, step=1, rings=None, values=None, groups=("fast",)) -> None:
        members = any("member" in one["series"] for one in series)
        rules = rehearsal.rules_of(groups, members=members)
        test = rehearsal.document(
            series, step=step, rings=rings or {}, values=values or {}
        )
        (tmp_path / "rules.yml").write_text(rules)
        (tmp_path / "test.yml").write_text(test)
        done = subprocess.run(
            ["promtool", "test", "rules", "test.yml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert done.returncode == 0, done.stdout + done.stderr

    return rehearse


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


def _empty(url: str) -> None:
    database = connect(url)
    with database.writing("emptying") as db:
        METADATA.drop_all(db)
        db.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    database.engine.dispose()


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """
    An empty database.
    """
    return _database(request, tmp_path)


def _database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/store.db"
    address: str = request.getfixturevalue("postgresql")
    _empty(address)
    return address


@pytest.fixture
def clock() -> VirtualClock:
    """
    What leases expire by.
    """
    return VirtualClock(NOW)


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock
) -> Iterator[Store]:
    """
    An empty store.
    """
    if request.param == "memory":
        yield MemoryStore(clock)
        return
    opened = open_store(_database(request, tmp_path), clock)
    yield opened
    opened.close()
