"""
Glance's configuration: images are files below the state directory.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "glance-api.conf"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What glance-api.conf holds.
    """
    store = site.state / "glance"
    return {
        "DEFAULT": document.defaults(
            bind_host="127.0.0.1",
            enabled_backends="files:file",
            worker_self_reference_url=site.url("glance"),
        ),
        "database": document.database(site, credentials, "glance"),
        "glance_store": {"default_backend": "files"},
        "files": {"filesystem_store_datadir": str(store / "images")},
        "os_glance_staging_store": {"filesystem_store_datadir": str(store / "staging")},
        "os_glance_tasks_store": {"filesystem_store_datadir": str(store / "tasks")},
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": str(site.venv / "etc/glance/glance-api-paste.ini"),
        },
        "oslo_concurrency": document.locks(site),
        "keystone_authtoken": document.token_middleware(site, credentials, "glance"),
    }
