"""
Secrets on a database, encrypted with the key file before they get there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import delete, func, select, update

from fournines.concealment import conceal
from fournines.store.database import Database
from fournines.store.protocol import StoreError
from fournines.store.secret_protocol import Secret
from fournines.store.tables import secrets
from fournines.trust.keyring import Keyring, KeyringError

_LINE_LENGTH_MIN = 32
"""Lines of a key as long as this are concealed one by one, too: a JSON text has them without their line breaks."""

_PUBLIC = re.compile(r"-+BEGIN CERTIFICATE-+.*?-+END CERTIFICATE-+", re.DOTALL)
_BREAK = re.compile(r"\n|\\n")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]+")


class SqlSecrets:
    """
    `Secrets` on a database. `keyring` None: nobody said where the keys are, so nothing can be kept.
    """

    def __init__(self, database: Database, keyring: Keyring | None) -> None:
        self._database = database
        self._keyring = keyring

    def current(self, platform: str, name: str) -> Secret | None:
        with self._database.reading(f"reading the secret {name}") as db:
            row = db.execute(_newest(platform, name)).first()
        return self._secret(row) if row else None

    def ensure(
        self, platform: str, name: str, make: Callable[[], str], *, at: datetime
    ) -> Secret:
        found = self.current(platform, name)
        if found is not None:
            return found
        sealed = self._sealed(name, make())
        with self._database.writing(f"keeping the secret {name}") as db:
            db.execute(
                self._database.insert(secrets)
                .values(
                    platform=platform, name=name, version=1, sealed=sealed, made_at=at
                )
                .on_conflict_do_nothing()
            )
            row = db.execute(_newest(platform, name)).one()
        return self._secret(row)

    def add(self, platform: str, name: str, text: str, *, at: datetime) -> Secret:
        sealed = self._sealed(name, text)
        with self._database.writing(f"keeping the secret {name}") as db:
            row = db.execute(_newest(platform, name)).first()
            version = row.version + 1 if row else 1
            db.execute(
                self._database.insert(secrets).values(
                    platform=platform,
                    name=name,
                    version=version,
                    sealed=sealed,
                    made_at=at,
                )
            )
        return Secret(
            platform=platform,
            name=name,
            version=version,
            content=SecretStr(text),
            made_at=at,
        )

    def versions(self, platform: str) -> dict[str, int]:
        columns = (secrets.c.name, func.max(secrets.c.version).label("version"))
        with self._database.reading("reading the versions of secrets") as db:
            rows = db.execute(
                select(*columns)
                .where(secrets.c.platform == platform)
                .group_by(secrets.c.name)
            ).all()
        return {row.name: row.version for row in rows}

    def kept(self, platform: str, name: str) -> tuple[Secret, ...]:
        with self._database.reading(f"reading the versions of the secret {name}") as db:
            rows = db.execute(_versions(platform, name)).all()
        return tuple(self._secret(row) for row in rows)

    def forget_before(self, platform: str, name: str, version: int) -> int:
        with self._database.writing(f"forgetting versions of the secret {name}") as db:
            done = db.execute(
                delete(secrets).where(
                    secrets.c.platform == platform,
                    secrets.c.name == name,
                    secrets.c.version < version,
                )
            )
            return int(done.rowcount)

    def hand_out(self, platform: str, name: str, version: int, *, at: datetime) -> bool:
        with self._database.writing(f"handing out the secret {name}") as db:
            done = db.execute(
                update(secrets)
                .where(
                    secrets.c.platform == platform,
                    secrets.c.name == name,
                    secrets.c.version == version,
                    secrets.c.handed_out_at.is_(None),
                )
                .values(handed_out_at=at)
            )
            return bool(done.rowcount)

    def forget(self, platform: str, prefix: str = "") -> int:
        with self._database.writing("forgetting secrets") as db:
            done = db.execute(
                delete(secrets).where(
                    secrets.c.platform == platform,
                    secrets.c.name.startswith(prefix, autoescape=True),
                )
            )
            return int(done.rowcount)

    def _secret(self, row: Any) -> Secret:
        try:
            text = self._keys(row.name).opened(row.sealed)
        except KeyringError as error:
            raise StoreError(f"reading the secret {row.name}: {error}") from error
        hide(text)
        return Secret(
            platform=row.platform,
            name=row.name,
            version=row.version,
            content=SecretStr(text),
            made_at=row.made_at,
            handed_out_at=row.handed_out_at,
        )

    def _sealed(self, name: str, text: str) -> str:
        hide(text)
        try:
            return self._keys(name).sealed(text, may_make=self._is_empty)
        except KeyringError as error:
            raise StoreError(f"keeping the secret {name}: {error}") from error

    def _is_empty(self) -> bool:
        with self._database.reading("looking for secrets") as db:
            return db.execute(select(secrets.c.name).limit(1)).first() is None

    def _keys(self, name: str) -> Keyring:
        if self._keyring is None:
            raise StoreError(f"the secret {name} needs a key file, and none was named")
        return self._keyring


def hide(text: str) -> None:
    """
    Conceal a secret from now on: whole, and the long lines of a private key, as they stand in a file or in JSON. Certificates are public.
    """
    private = _PUBLIC.sub("", text)
    lines = (line for line in _BREAK.split(private) if len(line) >= _LINE_LENGTH_MIN)
    conceal(text, *(line for line in lines if _BASE64.fullmatch(line)))


def _newest(platform: str, name: str) -> Any:
    return _versions(platform, name).limit(1)


def _versions(platform: str, name: str) -> Any:
    return (
        select(secrets)
        .where(secrets.c.platform == platform, secrets.c.name == name)
        .order_by(secrets.c.version.desc())
    )
