"""
Load balancers and images by the names people use, looked up where OpenStack keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pymysql

from fournines_sandbox import credentials
from fournines_sandbox.faults.problem import FaultError
from fournines_sandbox.site import Site

# Rows of id and name, without what is deleted.
_QUESTIONS = {
    "load balancer": (
        "octavia",
        "SELECT id, name FROM load_balancer WHERE provisioning_status != 'DELETED'",
    ),
    "image": ("glance", "SELECT id, name FROM images WHERE deleted = 0"),
}


@dataclass(frozen=True, slots=True)
class Named:
    """One of them."""

    id: str
    name: str


def find(site: Site, sort: str, wanted: str) -> Named:
    """
    The `load balancer` or `image` with this id or name, or the only one whose id or name begins so.

    Raises:
        FaultError: There is none, or more than one, or the database does not answer.
    """
    known = _all(site, sort)
    exact = [item for item in known if wanted in (item.id, item.name)]
    begun = [item for item in known if item.id.startswith(wanted) or item.name.startswith(wanted)]
    found = exact or begun
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(item.name for item in (found or known))) or "none"
    if found:
        raise FaultError(f"{wanted} could be any of several {sort}s: {names}")
    raise FaultError(f"no {sort} is called {wanted}; there are: {names}")


def _all(site: Site, sort: str) -> list[Named]:
    database, question = _QUESTIONS[sort]
    try:
        with (
            pymysql.connect(
                unix_socket=f"{site.run}/mariadb.sock",
                user="fournines",
                password=credentials.load(site).database,
                database=database,
                connect_timeout=5,
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(question)
            return [Named(row[0], row[1] or "") for row in cursor.fetchall()]
    except pymysql.MySQLError as error:
        raise FaultError(f"the cloud's database does not answer ({error}); is it up?") from error
