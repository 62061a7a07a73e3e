"""
Placement's configuration.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "placement.conf"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What placement.conf holds.
    """
    return {
        "DEFAULT": document.defaults(),
        "placement_database": document.database(site, credentials, "placement"),
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": document.token_middleware(site, credentials, "placement"),
    }
