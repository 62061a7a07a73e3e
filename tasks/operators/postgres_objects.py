"""
Databases, users and extensions, made as the superuser on the primary: TLS, and no password in clear in any statement.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from blueprints.postgres import objects
from blueprints.postgres.objects import Asked, Change, Database, Login, Present
from tasks.operators import ClusterRefused, ClusterSilent

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 30
PasswordOf = Callable[[str], str]
"""A login's password; asked for only of those that may log in."""

_POOLER = "pgbouncer"
_HIDDEN = ("postgres",)

_SQL: Mapping[type, tuple[LiteralString, ...]] = {
    objects.MakeUser: (
        (
            "DO $$ BEGIN CREATE ROLE {mark} NOLOGIN;"
            " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ),
        "CREATE ROLE {user} NOLOGIN IN ROLE {mark}",
    ),
    objects.ActAs: (
        "GRANT {user} TO {login}",
        "ALTER ROLE {login} SET role TO {user}",
    ),
    objects.SetPassword: ("ALTER ROLE {user} LOGIN PASSWORD {secret}",),
    objects.Lock: ("ALTER ROLE {user} NOLOGIN",),
    objects.LimitConnections: ("ALTER ROLE {user} CONNECTION LIMIT {connections_max}",),
    objects.MakeDatabase: ("CREATE DATABASE {database} OWNER {owner}",),
    objects.CloseDatabase: (
        "REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {pooler}",
    ),
    objects.SetOwner: ("ALTER DATABASE {database} OWNER TO {owner}",),
    objects.LetRead: (
        "GRANT pg_read_all_data TO {user}",
        "GRANT CONNECT ON DATABASE {database} TO {user}",
    ),
    objects.KeepOut: ("REVOKE CONNECT ON DATABASE {database} FROM {user}",),
}
"""Each may run twice, but those that make: a change that makes what is there is not asked for."""


@dataclass(frozen=True, slots=True)
class Server:
    """
    Where the primary answers, and with what.
    """

    host: str
    port: int
    password: str = field(repr=False)
    ca: str = field(repr=False)
    user: str = "postgres"


def apply(server: Server, asked: Asked, password_of: PasswordOf) -> tuple[Change, ...]:
    """
    Bring databases and users to what was asked for; returns what was changed. Idempotent.

    Raises:
        ClusterSilent: The primary cannot be reached.
        ClusterRefused: It refused a statement.
    """
    with _asking(server, "making") as connection:
        found = objects.changes(asked, _present(connection, server, asked, password_of))
        for change in found:
            _perform(connection, server, change, password_of)
    return found


def lacking(
    server: Server, asked: Asked, password_of: PasswordOf
) -> tuple[Change, ...]:
    """
    What `apply` would change. Changes nothing; raises as it does.
    """
    with _asking(server, "looking at") as connection:
        return objects.changes(asked, _present(connection, server, asked, password_of))


@contextmanager
def _asking(server: Server, verb: str) -> Iterator[psycopg.Connection[Any]]:
    attempted = f"{verb} databases and users on {server.host}"
    try:
        with _connected(server, "postgres") as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise ClusterSilent(attempted, _said(error)) from error
    except psycopg.Error as error:
        raise ClusterRefused(attempted, _said(error)) from error


def fits(verifier: str | None, password: str) -> bool:
    """
    Whether a SCRAM-SHA-256 verifier, as PostgreSQL keeps it, is that of a password.
    """
    try:
        kind, rounds_and_salt, keys = (verifier or "").split("$")
        rounds, salt = rounds_and_salt.split(":")
        stored, _ = keys.split(":")
    except ValueError:
        return False
    if kind != "SCRAM-SHA-256":
        return False
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.encode(), base64.b64decode(salt), int(rounds)
    )
    client = hmac.digest(salted, b"Client Key", "sha256")
    ours = base64.b64encode(hashlib.sha256(client).digest()).decode()
    return hmac.compare_digest(ours, stored)


@contextmanager
def _connected(server: Server, database: str) -> Iterator[psycopg.Connection[Any]]:
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(server.ca)
        file.flush()
        connection = psycopg.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            dbname=database,
            sslmode="verify-full",
            sslrootcert=file.name,
            connect_timeout=CONNECT_SECONDS,
            options=f"-c statement_timeout={STATEMENT_SECONDS}s",
            autocommit=True,
        )
    with connection:
        yield connection


def _present(
    connection: psycopg.Connection[Any],
    server: Server,
    asked: Asked,
    password_of: PasswordOf,
) -> Present:
    rows = connection.execute(
        "SELECT datname, pg_get_userbyid(datdba), EXISTS (SELECT FROM"
        " aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee = 0"
        " AND privilege_type = 'CONNECT') FROM pg_database"
        " WHERE NOT datistemplate AND NOT datname = ANY (%s)",
        [list(_HIDDEN)],
    ).fetchall()
    owners = {name: owner for name, owner, _ in rows}
    return Present(
        databases={
            name: Database(
                owner=owner,
                extensions=_extensions(server, name) if name in asked.databases else (),
            )
            for name, owner in owners.items()
        },
        users=_logins(connection, owners, asked, password_of),
        open_to_all=tuple(name for name, _, is_open in rows if is_open),
    )


def _extensions(server: Server, database: str) -> tuple[str, ...]:
    with _connected(server, database) as connection:
        rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
    return tuple(sorted(name for (name,) in rows))


def _logins(
    connection: psycopg.Connection[Any],
    owners: Mapping[str, str],
    asked: Asked,
    password_of: PasswordOf,
) -> dict[str, Login]:
    rows = connection.execute(
        "SELECT r.rolname, r.rolcanlogin, r.rolconnlimit, r.rolpassword,"
        " pg_has_role(r.oid, 'pg_read_all_data', 'MEMBER'),"
        " (SELECT substr(one, length('role=') + 1)"
        "   FROM pg_db_role_setting s, unnest(s.setconfig) one"
        "   WHERE s.setrole = r.oid AND s.setdatabase = 0 AND one LIKE 'role=%%'),"
        " ARRAY(SELECT d.datname::text FROM pg_database d WHERE NOT d.datistemplate"
        "   AND has_database_privilege(r.oid, d.oid, 'CONNECT'))"
        " FROM pg_authid r JOIN pg_auth_members m ON m.member = r.oid"
        " JOIN pg_authid g ON g.oid = m.roleid WHERE g.rolname = %s",
        [objects.MARK],
    ).fetchall()
    return {
        name: Login(
            may_log_in=may,
            password_fits=name in asked.logins and fits(verifier, password_of(name)),
            connections_max=None if limit < 0 else limit,
            reads=tuple(
                sorted(d for d in entered if reads and owners.get(d, name) != name)
            ),
            acts_as=acts_as,
        )
        for name, may, limit, verifier, reads, acts_as, entered in rows
    }


def _perform(
    connection: psycopg.Connection[Any],
    server: Server,
    change: Change,
    password_of: PasswordOf,
) -> None:
    if isinstance(change, objects.AddExtension):
        with _connected(server, change.database) as inside:
            inside.execute(
                sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(
                    sql.Identifier(change.extension)
                )
            )
        return
    for statement in _statements(connection, change, password_of):
        connection.execute(statement)


def _statements(
    connection: psycopg.Connection[Any], change: Change, password_of: PasswordOf
) -> Iterator[sql.Composed]:
    words: dict[str, sql.Composable] = {
        "mark": sql.Identifier(objects.MARK),
        "pooler": sql.Identifier(_POOLER),
    }
    for key, value in change.model_dump(exclude={"kind"}).items():
        is_name = key in {"user", "login", "database", "owner"}
        words[key] = sql.Identifier(value) if is_name else sql.Literal(value)
    if isinstance(change, objects.SetPassword):
        words["secret"] = _verifier(connection, change.user, password_of(change.user))
    for statement in _SQL[type(change)]:
        yield sql.SQL(statement).format(**words)


def _verifier(
    connection: psycopg.Connection[Any], user: str, password: str
) -> sql.Literal:
    """
    The password as PostgreSQL would keep it: the clear one stands in no statement and in no log.
    """
    made = connection.pgconn.encrypt_password(
        password.encode(), user.encode(), b"scram-sha-256"
    )
    return sql.Literal(made.decode())


def _said(error: psycopg.Error) -> str:
    return " ".join(str(error).split())[:300]
