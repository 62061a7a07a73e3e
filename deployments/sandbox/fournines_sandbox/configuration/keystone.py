"""
Keystone's configuration.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "keystone.conf"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What keystone.conf holds.
    """
    fernet = str(site.state / "keystone" / "fernet")
    return {
        "DEFAULT": document.defaults(public_endpoint=site.url("keystone")),
        "database": document.database(site, credentials, "keystone"),
        "token": {"provider": "fernet", "expiration": "14400"},
        "fernet_tokens": {"key_repository": fernet},
        "fernet_receipts": {"key_repository": fernet},
        "credential": {"key_repository": str(site.state / "keystone" / "credential")},
        # The passwords are long and random; the fewest rounds spare a second of CPU per ten logins.
        "identity": {"password_hash_algorithm": "bcrypt", "password_hash_rounds": "4"},
        "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
        "oslo_policy": {"enforce_scope": "true", "enforce_new_defaults": "true"},
    }
