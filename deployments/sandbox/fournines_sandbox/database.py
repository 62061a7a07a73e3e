"""
The cloud's MariaDB: Debian's server on a data directory and socket of our own, tuned small, listening on no port.

The schemas of all services take minutes of migrations. They are made once per release of OpenStack and kept as an
archive of the cleanly stopped data directory, which holds no password and nothing of one cloud; later clouds unpack it
in a second.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import pymysql

from fournines_sandbox import migrations
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

DATABASES = (
    "keystone",
    "placement",
    "glance",
    "nova_api",
    "nova_cell0",
    "nova_cell1",
    "neutron",
    "cinder",
    "octavia",
)
_DISTRIBUTIONS = (
    "keystone",
    "openstack-placement",
    "glance",
    "nova",
    "neutron",
    "cinder",
    "octavia",
    "alembic",
)
_START_SECONDS_MAX = 60
_STOP_SECONDS_MAX = 60


class DatabaseError(RuntimeError):
    """
    MariaDB did not start or a migration failed; the message names the log to read.
    """


def command(site: Site) -> list[str]:
    """
    The server's command line; it names no password.
    """
    return [
        "/usr/sbin/mariadbd",
        "--no-defaults",
        f"--datadir={_directory(site)}",
        f"--socket={site.run}/mariadb.sock",
        f"--pid-file={site.run}/mariadb.pid",
        f"--init-file={site.etc}/mariadb.sql",
        f"--tmpdir={_directory(site)}",
        "--user=root",
        "--skip-networking",
        "--skip-log-bin",
        "--skip-name-resolve",
        "--performance-schema=OFF",
        "--innodb-buffer-pool-size=96M",
        "--innodb-log-file-size=48M",
        # A crash of the machine may cost the last second; a crash of the server costs nothing.
        "--innodb-flush-log-at-trx-commit=2",
        "--innodb-doublewrite=OFF",
        "--aria-pagecache-buffer-size=8M",
        "--key-buffer-size=1M",
        "--table-open-cache=1000",
        "--max-connections=500",
        "--thread-cache-size=64",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
    ]


def write_accounts(site: Site, credentials: Credentials) -> None:
    """
    Write what the server runs at each start: the services' account with this cloud's password.
    """
    user = "'fournines'@'localhost'"
    password = credentials.database
    statements = [
        *(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb3;" for name in DATABASES),
        f"CREATE USER IF NOT EXISTS {user};",
        f"ALTER USER {user} IDENTIFIED BY '{password}';",
        f"GRANT ALL PRIVILEGES ON *.* TO {user};",
    ]
    site.etc.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(site.etc / "mariadb.sql", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(statements) + "\n")


def exists(site: Site) -> bool:
    """
    Whether this cloud has its databases already.
    """
    return (_directory(site) / "ibdata1").exists() and not _unfinished(site).exists()


def cached(site: Site) -> bool:
    """
    Whether the schemas of this release are at hand.
    """
    return _archive(site).exists()


def create(site: Site) -> None:
    """
    Make the databases: from the archive when there is one, otherwise by every service's migrations.
    """
    directory = _directory(site)
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    _unfinished(site).touch()
    if not cached(site):
        _install(site)
        with _running(site):
            migrations.run(site)
        _pack(directory, _archive(site))
    else:
        with tarfile.open(_archive(site)) as archive:
            # Our own archive; Debian 12's Python 3.11.2 knows no `filter` yet.
            archive.extractall(directory)  # noqa: S202
    _unfinished(site).unlink()


def wait(site: Site) -> None:
    """
    Return when the server accepts connections.

    Raises:
        DatabaseError: It did not within a minute.
    """
    deadline = time.monotonic() + _START_SECONDS_MAX
    sql = (site.etc / "mariadb.sql").read_text()
    password = sql.split("IDENTIFIED BY '")[1].split("'")[0]
    while True:
        try:
            pymysql.connect(
                unix_socket=f"{site.run}/mariadb.sock", user="fournines", password=password
            ).close()
        except pymysql.err.OperationalError as error:
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"MariaDB did not answer within {_START_SECONDS_MAX} s; see {site.log}"
                ) from error
            time.sleep(0.1)
        else:
            return


def _directory(site: Site) -> Path:
    return site.state / "mariadb"


def _unfinished(site: Site) -> Path:
    return site.state / "mariadb.unfinished"


def _archive(site: Site) -> Path:
    parts = [f"{name} {metadata.version(name)}" for name in _DISTRIBUTIONS]
    server = subprocess.run(
        ["/usr/sbin/mariadbd", "--version"], capture_output=True, text=True, check=True
    )
    parts += [server.stdout, Path(migrations.__file__).read_text(), " ".join(DATABASES)]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return site.cache / f"schema-{key}.tar"


def _install(site: Site) -> None:
    done = subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={_directory(site)}",
            "--user=root",
            "--skip-test-db",
            "--auth-root-authentication-method=socket",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DatabaseError(f"mariadb-install-db failed: {done.stderr.strip()[-500:]}")


@contextmanager
def _running(site: Site) -> Iterator[None]:
    """The server, for the time of the migrations only; stopped cleanly so that its files can be archived."""
    with (site.log / "mariadb.log").open("ab") as log:
        server = subprocess.Popen(command(site), stdout=log, stderr=log, start_new_session=True)
    try:
        wait(site)
        yield
    finally:
        server.terminate()
        server.wait(_STOP_SECONDS_MAX)


def _pack(directory: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    with tarfile.open(partial, "w") as archive:
        archive.add(directory, arcname=".")
    partial.rename(target)
