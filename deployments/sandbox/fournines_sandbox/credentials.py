"""
The passwords of one cloud: generated once, kept in one file that only root can read, never in arguments or logs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets

from fournines_sandbox.site import Site

_BYTES = 24


class Credentials:
    """
    Every password of a cloud, derived from one stored random seed.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def _derive(self, purpose: str) -> str:
        digest = hmac.new(self._seed.encode(), purpose.encode(), hashlib.sha256)
        return digest.hexdigest()[: 2 * _BYTES]

    @property
    def database(self) -> str:
        """Password of the database user of all services."""
        return self._derive("database")

    @property
    def admin(self) -> str:
        """Password of Keystone's `admin`."""
        return self._derive("admin")

    @property
    def member(self) -> str:
        """Password of the project user `fournines`."""
        return self._derive("member")

    @property
    def metadata(self) -> str:
        """Shared secret of Nova's metadata API."""
        return self._derive("metadata")

    def service(self, name: str) -> str:
        """
        Password of a service's user.
        """
        return self._derive(f"service/{name}")


def load(site: Site) -> Credentials:
    """
    The cloud's credentials, made at the first call.
    """
    path = site.state / "credentials.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"seed": secrets.token_hex(_BYTES)}, file)
    return Credentials(json.loads(path.read_text())["seed"])
