"""
The program beside each database: whom it lets take a backup, and what it tells pgBackRest.
"""

from __future__ import annotations

import time

import pytest

from blueprints.postgres.guest import archive, archivist

TOLD = {
    "slot": "demo-db-pg-1",
    "data": "/data/postgres/15",
    "password": "p",
    "voters": {f"demo-db-pg-{n}": f"10.0.0.{n}" for n in range(3)},
    "options": {"repo1-retention-full": 4},
    "archive": {
        "host": "objects.test",
        "port": "443",
        "region": "",
        "bucket": "b",
        "access": "a",
        "secret": "s",
        "cipher": "c",
    },
    "source": None,
}


class Beside(archivist.Archivist):
    """
    An archivist whose PostgreSQL is a replica and whose backups end once `gate` is open.
    """

    def __init__(self) -> None:
        super().__init__(self.pretend)
        self.words = []
        self.gate = True

    def pretend(self, *words, seconds=None):
        """
        Every command succeeds.
        """
        if words[0] == "psql":
            return True, "t"
        self.words.append(words)
        while not self.gate:
            time.sleep(0.01)
        return True, "done"


@pytest.fixture
def one():
    """
    One of them.
    """
    return Beside()


def wait_for(true):
    """
    Until it is so.
    """
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()


def test_a_replica_takes_the_backup_from_itself(one):
    """
    The primary is asked to begin and end it, no more; the order is written into the backup.
    """
    assert one.begin("diff", "x1") == (202, "begun")
    wait_for(lambda: one.state()["last"])

    (words,) = one.words
    assert {"--type=diff", "--annotation=order=x1", "--backup-standby"} <= set(words)
    last = one.state()["last"]
    assert (last["order"], last["good"], last["role"]) == ("x1", True, "replica")


def test_an_order_given_twice_is_one_backup(one):
    """
    Under way and afterwards; another order waits for its end.
    """
    one.gate = False
    one.begin("full", "x1")
    assert one.begin("full", "x1") == (202, "taken already")
    assert one.begin("full", "x2")[0] == 409
    one.gate = True
    wait_for(lambda: one.state()["last"])
    assert one.begin("full", "x1") == (202, "taken already")
    assert len(one.words) == 1


def test_a_full_backup_is_given_up_by_its_label(one):
    """
    One pgBackRest at a time, the same order twice is one; a differential backup is none of its own to give up.
    """
    assert one.expire("20261127-191616F", "expire-1") == (202, "begun")
    wait_for(lambda: one.state()["last"])
    assert one.expire("20261127-191616F", "expire-1") == (202, "taken already")

    assert one.words == [
        ("pgbackrest", "--stanza=main", "--set=20261127-191616F", "expire")
    ]
    for label in ("20261127-191616F_20261128-191616D", "latest", "--all"):
        assert one.expire(label, "expire-2")[0] == 400


@pytest.mark.parametrize(
    ("kind", "order"), [("whole", "x1"), ("full", "x 1"), ("full", "")]
)
def test_what_is_no_order_is_none(one, kind, order):
    """
    Nothing of it reaches a command line.
    """
    assert one.begin(kind, order)[0] == 400
    assert one.words == []


def test_only_a_primary_marks_its_log(one):
    """
    A replica has none of its own.
    """
    assert one.mark("moment")[0] == 409
    assert one.mark("mo'ment")[0] == 400


def test_a_member_is_first_and_reaches_the_others_that_vote():
    """
    PgBackRest finds the primary among them; each has a number of its own.
    """
    sections = archive.member_options(TOLD, "demo-db-pg-1")

    stanza = sections["main"]
    assert "pg1-host" not in stanza
    assert (stanza["pg2-host"], stanza["pg3-host"]) == ("demo-db-pg-0", "demo-db-pg-2")
    assert {stanza["pg2-host-type"], stanza["pg3-host-type"]} == {"tls"}
    assert sections["global"]["repo1-cipher-type"] == "aes-256-cbc"
    assert sections["global"]["repo1-retention-full"] == "4"


def test_an_authority_is_named_when_the_store_has_one_of_its_own(tmp_path):
    """
    An empty file means one that everybody knows.
    """
    file = tmp_path / "objects.pem"
    file.write_text("")
    assert "repo1-storage-ca-file" not in archive.repository(TOLD["archive"], file)
    file.write_text("PEM")
    assert archive.repository(TOLD["archive"], file)["repo1-storage-ca-file"] == str(
        file
    )
