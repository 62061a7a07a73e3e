"""
An object store as backups use it: where it is, who we are to it, and what it holds. S3's words.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from pydantic import SecretStr

from fournines.model.value import Value

HTTPS_PORT = 443


class ObjectEndpoint(Value):
    """
    Where an object store speaks S3.

    Attributes:
        url: `https://objects.example.org:8080`.
        region: The one that requests are signed for.
        ca: Of the authority that its certificate is of, as PEM; empty: one that everybody knows.
    """

    url: str
    region: str
    ca: str = ""

    @property
    def host(self) -> str:
        """
        Its name or address.
        """
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """
        Where it listens.
        """
        return urlsplit(self.url).port or HTTPS_PORT

    @property
    def is_encrypted(self) -> bool:
        """
        Whether it speaks TLS, without which no backup is sent.
        """
        return urlsplit(self.url).scheme == "https"


class ObjectKey(Value):
    """
    Who we are to an object store.
    """

    access: str
    secret: SecretStr


class StoredObject(Value):
    """
    One object's place, size and moment.
    """

    name: str
    size_bytes: int
    at: datetime
