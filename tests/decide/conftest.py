"""
What tests of decisions share.
"""

from __future__ import annotations

import shutil
import subprocess
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
from fournines.trust.keyring import KeyFile
from tests.decide.stored_values import NOW


@pytest.fixture
def promtool(tmp_path):
    """
    Rehearse generated rules with Debian's promtool; a failed expectation fails the test with promtool's words.
    """
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")

    def rehearse(series, *, step=1, rings=None, values=None, groups=("fast",)) -> None:
        about = ("member", "cluster")
        members = any(word in one["series"] for one in series for word in about)
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
    opened = open_store(
        _database(request, tmp_path), clock, keys=KeyFile(tmp_path / "store-key")
    )
    yield opened
    opened.close()
