"""
Octavia's configuration: the API and the driver agent's listeners share one process.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "octavia.conf"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What octavia.conf holds.
    """
    return {
        "DEFAULT": document.defaults(host="loadbalancer"),
        "api_settings": {
            "auth_strategy": "keystone",
            "bind_host": "127.0.0.1",
            "api_base_uri": site.url("octavia"),
            "enabled_provider_drivers": "fournines:HAProxy in a network namespace",
            "default_provider_driver": "fournines",
            "healthcheck_enabled": "false",
            "allow_prometheus_listeners": "true",
        },
        # There is no certificate store; without this Octavia complains of that before the provider can say that it does
        # not terminate TLS.
        "certificates": {"cert_manager": "noop_cert_manager"},
        "database": document.database(site, credentials, "octavia"),
        "driver_agent": {
            "status_socket_path": str(site.run / "octavia-status.sock"),
            "stats_socket_path": str(site.run / "octavia-stats.sock"),
            "get_socket_path": str(site.run / "octavia-get.sock"),
        },
        "oslo_messaging": {"topic": "octavia_provisioning"},
        "neutron": document.client(site, credentials, "octavia"),
        "service_auth": document.client(site, credentials, "octavia"),
        "oslo_concurrency": document.locks(site),
        "keystone_authtoken": document.token_middleware(site, credentials, "octavia"),
    }
