"""
Backups on the embedded cloud, through Swift's S3: a moment between two marks comes back as it was, and a drill proves it.

One member is enough here: who takes a backup is a table (tests/decide/test_archivist.py), and a restore is one member's business.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import psycopg
import pytest

from fournines.settings import Settings
from tasks import drill_clearing, opening, vaults
from tasks.transactions.registered import TRANSACTIONS
from tests.sandbox.services.command import fournines
from tests.sandbox.services.stage import PLATFORM, database

# With the benches, as the other proofs of databases are.
pytestmark = [pytest.mark.sandbox, pytest.mark.bench]

TEXT = f"""\
platform: {PLATFORM}
defaults: {{image: debian-12, flavor: m1.medium}}
services:
  db:
    blueprint: postgres
    parameters:
      {{count: 1, voters: 1, synchronous: false, volume_size_gb: 1, backups: {{archive_every_seconds: 10}}}}
"""
TABLE = "CREATE TABLE written (number int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())"
AT = "%Y-%m-%dT%H:%M:%S"


@pytest.fixture(scope="module")
def db(cloud, tmp_path_factory):
    """A database with one full backup, and rows before and after it; its buckets go at the end."""
    with opening.workshop(Settings()) as workshop:
        try:
            with database(tmp_path_factory.mktemp("backups"), TEXT) as made:
                with psycopg.connect(made.dsn(), autocommit=True) as connection:
                    connection.execute(TABLE)
                write(made, 1, 20)
                fournines("backup", "db", "--platform", PLATFORM, "--kind", "full")
                write(made, 21, 40)
                yield made
        finally:
            # Once nobody writes into them any more.
            for name in ("db", "db2"):
                vaults.destroy(workshop, PLATFORM, name)


def write(db, first, last):
    """Rows of these numbers, each its own commit."""
    with psycopg.connect(db.dsn(), autocommit=True) as connection:
        for number in range(first, last + 1):
            connection.execute("INSERT INTO written VALUES (%s)", (number,))


def rows(db, name):
    """The numbers that a service has."""
    with psycopg.connect(db.dsn(name=name), autocommit=True) as connection:
        found = connection.execute("SELECT number FROM written ORDER BY number")
        return [number for (number,) in found.fetchall()]


def asked(*words, code):
    """A restore that is refused: what it says, and with which status."""
    done = fournines("restore", "db", "--platform", PLATFORM, *words, code=code)
    return " ".join(done.stderr.split())


def test_what_is_kept_is_shown(db):
    """One full backup, and a log that goes on; Swift has no object lock, and that is said."""
    said = json.loads(
        fournines("backups", "db", "--platform", PLATFORM, "--json").stdout
    )
    assert [one["kind"] for one in said["backups"]] == ["full"]
    assert said["log_newest"]
    assert said["locked_days"] == 0


def test_what_cannot_be_restored_is_one_sentence(db):
    """Before anything is touched: a future moment, one before the first backup, a service that lives, a volume too small."""
    before = db.workshop.store.registry.platform(PLATFORM)
    later = datetime(2999, 1, 1, tzinfo=UTC).strftime(AT)
    early = datetime(2001, 1, 1, tzinfo=UTC).strftime(AT)

    assert "is in the future" in asked("--as", "db2", "--to", later, code=3)
    assert "is before the end of the first" in asked(
        "--as", "db2", "--to", early, code=3
    )
    assert "say --over" in asked("--as", "db", code=3)
    assert "has no backup" in asked(
        "--as", "db2", "--backup", "20010101-000000F", code=3
    )
    assert db.workshop.store.registry.platform(PLATFORM) == before


def test_a_moment_between_two_marks_comes_back_exactly(db):
    """Rows before it are there, rows after it are not, and the service they were taken from has them all."""
    time.sleep(1.5)
    moment = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1.5)
    write(db, 41, 60)

    fournines(
        *("restore", "db", "--platform", PLATFORM, "--as", "db2"),
        *("--to", moment.strftime(AT)),
    )

    assert rows(db, "db2") == list(range(1, 41))
    assert rows(db, "db") == list(range(1, 61))


def test_a_drill_brings_it_back_where_nobody_reaches_it(db):
    """The marks that came back are those of the living service; RPO and RTO are measured, and nothing is left."""
    service = db.workshop.store.registry.platform(PLATFORM).service("db")
    inventory = db.workshop.cloud.inventory(PLATFORM)
    transactor = TRANSACTIONS["postgres"](db.workshop)
    assert transactor.perform(service, inventory, timeout_seconds=10).ok
    with psycopg.connect(db.dsn(), autocommit=True) as connection:
        connection.execute("INSERT INTO written VALUES (1000)")
    # Until the mark is in the store.
    time.sleep(25)

    (drill,) = json.loads(
        fournines("drill", "db", "--platform", PLATFORM, "--json").stdout
    )

    assert drill["error"] == ""
    assert drill["marks"] >= 1
    assert drill["compared"]
    assert drill["rpo_seconds"] >= 0
    assert drill["rto_seconds"] > 0
    left = db.workshop.cloud.inventory(drill_clearing.PLATFORM)
    assert (left.instances, left.volumes, left.networks, left.security_groups) == (
        (),
    ) * 4
