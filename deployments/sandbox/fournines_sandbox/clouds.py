"""
The entries of clouds.yaml by which any OpenStack client reaches this cloud.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from fournines_sandbox import certificate
from fournines_sandbox.configuration.document import REGION
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.seed import PROJECT
from fournines_sandbox.site import Site

MEMBER = "fournines"
ADMINISTRATOR = "fournines-admin"


def merge(path: Path, site: Site, credentials: Credentials) -> None:
    """
    Write this cloud's two entries into a clouds.yaml; other entries stay as they are.
    """
    document: dict[str, Any] = {}
    if path.exists():
        document = yaml.safe_load(path.read_text()) or {}
    entries = document.setdefault("clouds", {})
    entries[MEMBER] = _entry(site, PROJECT, PROJECT, credentials.member)
    entries[ADMINISTRATOR] = _entry(site, "admin", "admin", credentials.admin)

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(document, file, sort_keys=False)
    partial.rename(path)


def _entry(site: Site, user: str, project: str, password: str) -> dict[str, Any]:
    return {
        "auth": {
            "auth_url": f"{site.url('keystone')}/v3",
            "username": user,
            "password": password,
            "project_name": project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": REGION,
        "identity_api_version": 3,
        # Of what speaks TLS: the object store.
        "cacert": str(site.state / certificate.FOLDER / certificate.AUTHORITY_FILE),
    }
