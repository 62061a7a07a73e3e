"""
The store's keys in the cloud's own key manager (Barbican), instead of in a file.

A secret of Barbican is one key; all secrets of one name are the keyring, and the newest encrypts: two hosts that made one at the same time read each
other's, and a new key is one more secret of that name. Secrets themselves stay in the store, encrypted with these keys: Barbican is asked once per process, and
keeps neither versions nor an atomic "make it unless it is there" for us (envelope encryption, as other platforms do with a cloud's key service).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet

from fournines.cloud.errors import CloudError
from fournines.cloud.openstack.attempts import attempt
from fournines.cloud.openstack.connection import Connection, connect
from fournines.settings import Settings
from fournines.trust.keyring import KeyringError

SERVICE = "key_manager"
_TYPES = ("key-manager",)
"""As the catalogue calls it."""

NAME = "fournines-store-key"
"""One keyring per project: its platforms share a store."""


class BarbicanKeys:
    """
    `KeySource` in Barbican.
    """

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings

    def place(self) -> str:
        return f"the secrets {NAME} of the cloud's key manager"

    def read(self) -> str:
        try:
            return "\n".join(self._retried(self._texts))
        except CloudError as error:
            raise KeyringError(f"{self.place()} cannot be read: {error}") from error

    def make(self) -> str:
        try:
            return "\n".join(self._retried(self._ensured))
        except CloudError as error:
            raise KeyringError(
                f"{self.place()} cannot be made: {error}. Making one needs Barbican's role `creator`; with "
                "FOURNINES_STORE_KEYS=file the key is a file of this host"
            ) from error

    def _ensured(self) -> list[str]:
        """
        Looks before it makes: an answer that was lost is found, not made again.
        """
        found = self._texts()
        if found:
            return found
        self._connection.ask(SERVICE, f"making a secret {NAME}", _create)
        return self._texts()

    def _texts(self) -> list[str]:
        return self._connection.ask(SERVICE, f"reading the secrets {NAME}", _read)

    def _retried(self, unit: Callable[[], list[str]]) -> list[str]:
        chosen = self._settings
        return attempt(
            unit, attempts=chosen.retry_attempts, seconds=chosen.retry_total_seconds
        )


def open_keys(settings: Settings) -> BarbicanKeys | None:
    """
    The keys in the key manager of the settings' cloud; None when it has none. Raises CloudError.
    """
    connection = connect(settings)
    there = attempt(
        lambda: connection.endpoint(_TYPES, "looking for a key manager"),
        attempts=settings.retry_attempts,
        seconds=settings.retry_total_seconds,
    )
    if there:
        return BarbicanKeys(connection, settings)
    connection.close()
    return None


def _create(sdk: Any) -> None:
    sdk.create_secret(
        name=NAME,
        secret_type="opaque",  # noqa: S106  Barbican's word for a kind
        payload=Fernet.generate_key().decode(),
        payload_content_type="text/plain",
    )


def _read(sdk: Any) -> list[str]:
    """
    What the secrets hold, the newest first.
    """
    found = [one for one in sdk.secrets(name=NAME) if one.status == "ACTIVE"]
    found.sort(key=lambda one: (one.created_at, one.secret_id), reverse=True)
    texts = [sdk.get_secret(one.secret_id).payload for one in found]
    return [text.decode() if isinstance(text, bytes) else text for text in texts]
