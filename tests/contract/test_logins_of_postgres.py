"""
Two logins of one user on a real PostgreSQL: both are let in while both are asked for, what they make belongs to the user, and the former is refused.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from blueprints.postgres import objects
from blueprints.postgres.objects import Asked, Database, User
from tasks.operators import postgres_objects
from tasks.operators.postgres_objects import Server

pytestmark = pytest.mark.postgresql

PASSWORDS = {"app": "alone", "app.a": "first", "app.b": "second"}


class Service:
    """
    A server that asks everybody but its superuser for a password.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.server = Server(
            host=str(home), port=5432, password="", ca="", user="tester"
        )

    def brought_to(self, *logins: str) -> list[str]:
        """What was done so that these are let in."""
        asked = Asked(
            databases={"shop": Database(owner="app")},
            users={"app": User(connections_max=20)},
            logins=dict.fromkeys(logins, "app"),
        )
        done = postgres_objects.apply(self.server, asked, PASSWORDS.__getitem__)
        lacking = postgres_objects.lacking(self.server, asked, PASSWORDS.__getitem__)
        assert lacking == ()
        return [objects.in_words(change) for change in done]

    def session(self, login: str, database: str = "shop", password: str | None = None):
        """As a client has it."""
        return psycopg.connect(
            host=str(self.home),
            user=login,
            password=password or PASSWORDS.get(login, ""),
            dbname=database,
            autocommit=True,
        )

    def lets_in(self, *logins: str) -> list[bool]:
        """Whether each is let in with its password."""
        found = []
        for login in logins:
            try:
                self.session(login).close()
            except psycopg.OperationalError:
                found.append(False)
            else:
                found.append(True)
        return found


@pytest.fixture
def service(postgresql):
    """
    Its rules are put back afterwards: others use the same server.
    """
    home = Path(postgresql.partition("host=")[2])
    rules, before = home / "data" / "pg_hba.conf", home / "hba.before"
    shutil.copy(rules, before)
    made = Service(home)
    with made.session("tester", "postgres") as connection:
        rules.write_text("local all tester trust\nlocal all all scram-sha-256\n")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE ROLE pgbouncer")
        yield made
        rules.write_text(before.read_text())
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        for role in (*reversed(PASSWORDS), "pgbouncer", objects.MARK):
            connection.execute(
                sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role))
            )


def owner_of(session, table):
    """Whose a table is."""
    query = "SELECT tableowner FROM pg_tables WHERE tablename = %s"
    return session.execute(query, [table]).fetchone()


def test_both_are_let_in_until_one_is_retired(service):
    """
    A rotation refuses nobody: the new login stands beside the former one, which is refused only once it is asked for no more.
    """
    service.brought_to("app.a")
    assert service.lets_in("app.a", "app.b", "app") == [True, False, False]

    assert service.brought_to("app.a", "app.b") == [
        "user app.b is made",
        "app.b acts as user app",
        "user app.b has the password of the store",
        "user app.b has 20 connections at most",
    ]
    assert service.lets_in("app.a", "app.b") == [True, True]

    assert service.brought_to("app.b") == ["user app.a can no longer log in"]
    assert service.lets_in("app.a", "app.b") == [False, True]


def test_what_a_login_makes_is_the_users(service):
    """
    Either login is the user from its first statement on, also after a pooler or a driver has reset the session, and may change what the other made.
    """
    service.brought_to("app.a", "app.b")

    with service.session("app.a") as session:
        who = "SELECT session_user, current_user"
        assert session.execute(who).fetchone() == ("app.a", "app")
        session.execute("CREATE SCHEMA mine")
        for reset in ("DISCARD ALL", "RESET ALL", "RESET ROLE"):
            session.execute(reset)
            assert session.execute(who).fetchone() == ("app.a", "app")
        session.execute("CREATE TABLE mine.orders (id int)")
        assert owner_of(session, "orders") == ("app",)
    with service.session("app.b") as session:
        session.execute("ALTER TABLE mine.orders ADD COLUMN paid bool")
        session.execute("DROP SCHEMA mine CASCADE")


def test_a_user_of_before_goes_on_until_it_is_retired(service):
    """
    Who was deployed with one password logs in as itself beside the first login, keeps what it owns, and is refused after the next rotation.
    """
    service.brought_to("app")
    with service.session("app") as session:
        session.execute("CREATE SCHEMA mine")
        session.execute("CREATE TABLE mine.orders (id int)")

    service.brought_to("app", "app.a")
    assert service.lets_in("app", "app.a") == [True, True]
    with service.session("app.a") as session:
        session.execute("ALTER TABLE mine.orders ADD COLUMN paid bool")

    assert service.brought_to("app.a") == ["user app can no longer log in"]
    assert service.lets_in("app", "app.a") == [False, True]
    with service.session("app.a") as session:
        assert owner_of(session, "orders") == ("app",)
        session.execute("DROP TABLE mine.orders")


def test_a_login_that_was_turned_away_is_turned_back(service):
    """
    A login that somebody turned away from its user is turned back.
    """
    service.brought_to("app.a")
    with service.session("tester", "postgres") as connection:
        connection.execute('ALTER ROLE "app.a" RESET role')

    assert service.brought_to("app.a") == ["app.a acts as user app"]
