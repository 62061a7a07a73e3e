"""
The key file that secrets in the store are encrypted with.

One Fernet key a line, the newest first: what older ones encrypted can still be read. Only its owner can read the file; hosts that share a store
must share it.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from fournines.concealment import conceal


class KeyringError(Exception):
    """
    The key file cannot be used; the message says why and what to do.
    """


class Keyring:
    """
    Encrypts and decrypts with the keys of a file, which is made when it is first needed. Thread-safe.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._cipher: MultiFernet | None = None

    def sealed(self, text: str) -> str:
        """
        The text, encrypted.
        """
        return self._keys().encrypt(text.encode()).decode()

    def opened(self, sealed: str) -> str:
        """
        The text that was encrypted.

        Raises:
            KeyringError: With other keys than these.
        """
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise KeyringError(
                f"it was encrypted with another key than those in {self._file}; put the key file of the host that wrote it there"
            ) from error

    def _keys(self) -> MultiFernet:
        with self._lock:
            if self._cipher is None:
                self._cipher = self._read()
            return self._cipher

    def _read(self) -> MultiFernet:
        try:
            lines = (self._file if self._file.exists() else self._made()).read_text()
        except OSError as error:
            raise KeyringError(
                f"the key file {self._file} cannot be read: {error.strerror}"
            ) from error
        keys = [line.strip() for line in lines.splitlines() if line.strip()]
        conceal(*keys)
        try:
            return MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise KeyringError(
                f"the key file {self._file} holds no key; restore it from its copy: what is encrypted cannot be read without"
            ) from error

    def _made(self) -> Path:
        """
        A file with a new key, whole or not at all; whoever comes second takes the first one's.
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
        return self._file
