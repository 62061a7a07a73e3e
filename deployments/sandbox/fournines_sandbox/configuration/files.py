"""
Writing every service's configuration file, readable by root alone because they hold passwords.
"""

from __future__ import annotations

import os
from types import ModuleType

from fournines_sandbox.configuration import (
    cinder,
    glance,
    keystone,
    neutron,
    nova,
    octavia,
    placement,
    swift,
)
from fournines_sandbox.configuration.document import Document, rendered
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

SERVICES: dict[str, ModuleType] = {
    "keystone": keystone,
    "placement": placement,
    "glance": glance,
    "neutron": neutron,
    "nova": nova,
    "cinder": cinder,
    "octavia": octavia,
    "swift": swift,
}


def write(site: Site, credentials: Credentials) -> None:
    """
    Write (again) the configuration of all services.
    """
    site.etc.mkdir(parents=True, exist_ok=True)
    site.etc.chmod(0o700)
    for module in SERVICES.values():
        _write(site, module.FILE, module.sections(site, credentials))
    for kind in swift.BACKENDS:
        _write(site, swift.backend_file(kind), swift.backend(site, kind))
    _write(site, swift.COMMON_FILE, swift.common(credentials))


def _write(site: Site, name: str, document: Document) -> None:
    descriptor = os.open(site.etc / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(rendered(document))
