"""
Every service's own schema migrations, run side by side once per release.

What they leave behind must suit every cloud of that release, so Nova's cell is recorded as a template that Nova fills
from its configuration, and nothing here writes a password.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fournines_sandbox.site import Site

_TIMEOUT_SECONDS = 900
_AT_ONCE = 3
_CELL = "{scheme}://{username}:{password}@{hostname}/%s?{query}"


class MigrationError(RuntimeError):
    """
    A service's migration failed; the message names the service and the log.
    """


@dataclass(frozen=True, slots=True)
class Migration:
    """
    The management commands of one service, run one after another.
    """

    service: str
    file: str
    program: str
    commands: tuple[tuple[str, ...], ...]


_MIGRATIONS = (
    # The longest first: what runs beside them ends with them.
    Migration("neutron", "neutron.conf", "neutron-db-manage", (("upgrade", "heads"),)),
    Migration(
        "nova",
        "nova.conf",
        "nova-manage",
        (
            ("api_db", "sync"),
            ("cell_v2", "map_cell0", "--database_connection", _CELL % "nova_cell0"),
            ("db", "sync"),
            (
                *("cell_v2", "create_cell", "--name", "cell1", "--transport-url", "fake:///"),
                *("--database_connection", _CELL % "nova_cell1"),
            ),
        ),
    ),
    Migration("octavia", "octavia.conf", "octavia-db-manage", (("upgrade", "head"),)),
    Migration("cinder", "cinder.conf", "cinder-manage", (("db", "sync"),)),
    Migration("glance", "glance-api.conf", "glance-manage", (("db_sync",),)),
    Migration("keystone", "keystone.conf", "keystone-manage", (("db_sync",),)),
    Migration("placement", "placement.conf", "placement-manage", (("db", "sync"),)),
)


def run(site: Site) -> None:
    """
    Bring all schemas to this release.

    Raises:
        MigrationError: One of them failed.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for finished in [pool.submit(_migrate, site, item) for item in _MIGRATIONS]:
            finished.result()


def _migrate(site: Site, migration: Migration) -> None:
    program = site.venv / "bin" / migration.program
    log = site.log / "migrations.log"
    for arguments in migration.commands:
        done = subprocess.run(
            [str(program), "--config-file", str(site.etc / migration.file), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        with log.open("a") as file:
            file.write(f"$ {migration.program} {' '.join(arguments)}\n{done.stdout}\n")
        if done.returncode != 0:
            raise MigrationError(
                f"{migration.service}: {migration.program} {arguments[0]} failed "
                f"with status {done.returncode}; see {log}"
            )
