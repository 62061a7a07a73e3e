"""
PostgreSQL on the embedded cloud: deployed, its primary killed under a writer, the member replaced; nothing acknowledged is lost.
"""

import time

import psycopg
import pytest

from tests.sandbox.services.command import fournines
from tests.sandbox.services.stage import database

pytestmark = [pytest.mark.sandbox, pytest.mark.full]

AGAIN_SECONDS_MAX = 120


@pytest.fixture(scope="module")
def db(cloud, tmp_path_factory):
    """A service that serves."""
    with database(tmp_path_factory.mktemp("db")) as made:
        yield made


def test_each_way_in_leads_to_its_role(db):
    """Writes go to the primary, the other port leads to a replica, and neither speaks without TLS."""
    with psycopg.connect(db.dsn(), autocommit=True) as connection:
        (recovering,) = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        assert recovering is False
    with psycopg.connect(db.dsn(5433), autocommit=True) as connection:
        (recovering,) = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        assert recovering is True
    with pytest.raises(psycopg.OperationalError, match="SSL required"):
        psycopg.connect(db.dsn().replace("verify-full", "disable"))


def test_a_killed_primary_costs_no_acknowledged_commit(db, eventually):
    """Another member takes the writes, the dead one is replaced onto its volume and votes again, and nothing is left to do."""
    writer = db.writer()
    assert writer.writes_after(0, AGAIN_SECONDS_MAX)
    time.sleep(2)
    killed = db.primary()

    fournines("break", "kill", killed)
    assert writer.writes_after(time.time() + 1, AGAIN_SECONDS_MAX)
    # A deploy goes by the cloud's word.
    assert eventually(lambda: db.status(killed) != "ACTIVE", 60)
    db.deploy()
    writer.stop()

    view = db.view()
    assert killed not in {member.instance for member in view.members}
    assert [member.settled for member in view.members] == [True] * 3
    assert view.votes == 3
    assert writer.lost() == []
    assert "Nothing to do" in fournines("plan", str(db.file)).stdout
