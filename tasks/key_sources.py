"""
Where the keys of the store's secrets are: in the cloud's key manager when it has one, else in a file of this host.
"""

from __future__ import annotations

from fournines.cloud.errors import CloudError, CredentialsRefused
from fournines.cloud.openstack import open_keys
from fournines.settings import Settings, StoreKeys
from fournines.trust.keyring import KeyFile, KeyringError, KeySource


class ChosenKeys:
    """
    `KeySource` by the settings. Nothing is asked before the first secret is needed: most commands need none, and no cloud either.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chosen: KeySource | None = None

    def place(self) -> str:
        return self._source().place()

    def read(self) -> str:
        return self._source().read()

    def make(self) -> str:
        return self._source().make()

    def _source(self) -> KeySource:
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen

    def _choose(self) -> KeySource:
        """
        A file that is there stays in force: what it encrypted can be read with nothing else.
        """
        file = KeyFile(self._settings.store_key_file)
        asked = self._settings.store_keys
        if asked is StoreKeys.FILE:
            return file
        if asked is StoreKeys.AUTO and self._settings.store_key_file.exists():
            return file
        try:
            found = open_keys(self._settings)
        except CredentialsRefused as error:
            if asked is StoreKeys.AUTO:
                return file
            raise KeyringError(f"the key manager cannot be asked: {error}") from error
        except CloudError as error:
            raise KeyringError(
                f"whether the cloud has a key manager cannot be told: {error}; with FOURNINES_STORE_KEYS=file the key is a file of this host"
            ) from error
        if found is None and asked is StoreKeys.BARBICAN:
            raise KeyringError(
                "the cloud's catalogue has no key manager (Barbican); with FOURNINES_STORE_KEYS=file the key is a file of this host"
            )
        return found or file
