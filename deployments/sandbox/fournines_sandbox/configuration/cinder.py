"""
Cinder's configuration: API, scheduler, volume and backup share one process.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "cinder.conf"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What cinder.conf holds.
    """
    state = site.state / "cinder"
    return {
        "DEFAULT": document.defaults(
            host="volume",
            my_ip="127.0.0.1",
            state_path=str(state),
            api_paste_config=str(site.venv / "etc/cinder/api-paste.ini"),
            auth_strategy="keystone",
            enabled_backends="local",
            default_volume_type="__DEFAULT__",
            glance_api_servers=site.internal_url("glance"),
            resource_query_filters_file=str(site.venv / "etc/cinder/resource_filters.json"),
            backup_driver="fournines_sandbox.volume.backup.FileBackup",
            backup_workers="1",
            backup_use_same_host="true",
            scheduler_driver_init_wait_time="1",
            # A file is copied as a whole: no conversion, hence no cache of converted ones.
            allowed_direct_url_schemes="",
            report_interval="10",
            backend_stats_polling_interval="60",
        ),
        "local": {
            "volume_driver": "fournines_sandbox.volume.driver.FileDriver",
            "volume_backend_name": "local",
        },
        "database": document.database(site, credentials, "cinder"),
        "oslo_concurrency": document.locks(site),
        "coordination": {"backend_url": f"file://{state}/coordination"},
        "nova": document.client(site, credentials, "nova"),
        "service_user": document.client(
            site,
            credentials,
            "cinder",
            send_service_user_token="true",  # noqa: S106  a switch
        ),
        "keystone_authtoken": document.token_middleware(site, credentials, "cinder"),
    }
