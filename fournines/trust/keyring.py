"""
The keys that secrets in the store are encrypted with: in a file, or wherever else a `KeySource` keeps them.

One Fernet key a line, the newest first: what older ones encrypted can still be read. Only its owner can read the file; hosts that share a store
must share it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from fournines.concealment import conceal


class KeyringError(Exception):
    """
    The keys cannot be used; the message says why and what to do.
    """


class KeySource(Protocol):
    """
    Where keys are kept.
    """

    def place(self) -> str:
        """
        For people: `the key file /var/lib/fournines/secrets/store-key`.
        """
        ...

    def read(self) -> str:
        """
        The keys, a line each; empty when there is none yet. Raises KeyringError.
        """
        ...

    def make(self) -> str:
        """
        A first key, whole or not at all, and what is kept then: of two who make one at once each can read what the other encrypts. Raises KeyringError.
        """
        ...


def always() -> bool:
    """
    A key may be made: nothing was encrypted before.
    """
    return True


class Keyring:
    """
    Encrypts and decrypts with the keys of a source. Thread-safe.
    """

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._lock = Lock()
        self._cipher: MultiFernet | None = None

    def sealed(self, text: str, *, may_make: Callable[[], bool] = always) -> str:
        """
        The text, encrypted. Where there is no key one is made, unless secrets are kept already: a new key would hide that theirs is lost.
        """
        return self._keys(may_make).encrypt(text.encode()).decode()

    def opened(self, sealed: str) -> str:
        """
        The text that was encrypted.

        Raises:
            KeyringError: With other keys than these.
        """
        try:
            return self._decrypted(sealed)
        except InvalidToken:
            # Somebody else may have added a key since.
            self._forget()
        try:
            return self._decrypted(sealed)
        except InvalidToken as error:
            raise KeyringError(
                f"it was encrypted with another key than those in {self._source.place()}; "
                "put the keys of the host that wrote it there"
            ) from error

    def _decrypted(self, sealed: str) -> str:
        return self._keys(lambda: False).decrypt(sealed.encode()).decode()

    def _forget(self) -> None:
        with self._lock:
            self._cipher = None

    def _keys(self, may_make: Callable[[], bool]) -> MultiFernet:
        with self._lock:
            if self._cipher is None:
                self._cipher = self._read(may_make)
            return self._cipher

    def _read(self, may_make: Callable[[], bool]) -> MultiFernet:
        lines = self._source.read()
        if not lines:
            if not may_make():
                raise KeyringError(
                    f"there is no key in {self._source.place()}, and secrets are kept that were encrypted with one; "
                    "restore it from its copy, or from the host that wrote them"
                )
            lines = self._source.make()
        keys = [line.strip() for line in lines.splitlines() if line.strip()]
        conceal(*keys)
        try:
            return MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise KeyringError(
                f"{self._source.place()} holds no key; restore it from its copy: what is encrypted cannot be read without"
            ) from error


class KeyFile:
    """
    `KeySource` as a file, mode 0600.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def place(self) -> str:
        return f"the key file {self._file}"

    def read(self) -> str:
        try:
            return self._file.read_text()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._complaint("read", error) from error

    def make(self) -> str:
        try:
            self._link()
        except OSError as error:
            raise self._complaint("made", error) from error
        return self.read()

    def _complaint(self, what: str, error: OSError) -> KeyringError:
        return KeyringError(f"{self.place()} cannot be {what}: {error.strerror}")

    def _link(self) -> None:
        """
        A file with a new key; whoever comes second takes the first one's.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
        try:
            os.link(draft, self._file)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
