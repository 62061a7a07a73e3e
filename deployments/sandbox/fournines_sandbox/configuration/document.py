"""
An oslo.config file as a value, and the sections that several services share. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

Document = dict[str, dict[str, str]]
"""Section -> option -> value."""

REGION = "RegionOne"


def rendered(document: Mapping[str, Mapping[str, str]]) -> str:
    """
    The text of a configuration file.
    """
    lines: list[str] = []
    for section, options in document.items():
        lines.append(f"[{section}]")
        lines.extend(f"{name} = {value}" for name, value in options.items())
        lines.append("")
    return "\n".join(lines)


def defaults(**more: str) -> dict[str, str]:
    """
    The DEFAULT section: one process per service, so the message bus is in memory.
    """
    return {"transport_url": "fake:///", "use_stderr": "true", "debug": "false", **more}


def database(site: Site, credentials: Credentials, name: str) -> dict[str, str]:
    """
    The database section of a service.

    Pools are small because every service is one process with 16 request threads, and most of them are idle.
    """
    return {
        "connection": database_url(site, credentials, name),
        "max_pool_size": "10",
        "max_overflow": "40",
        "connection_recycle_time": "600",
    }


def database_url(site: Site, credentials: Credentials, name: str) -> str:
    """
    SQLAlchemy's URL of one database, through the server's socket.
    """
    return (
        f"mysql+pymysql://fournines:{credentials.database}@localhost/{name}"
        f"?unix_socket={site.run}/mariadb.sock&charset=utf8mb4"
    )


def token_middleware(site: Site, credentials: Credentials, service: str) -> dict[str, str]:
    """
    The keystone_authtoken section.
    """
    return {
        **session(site, credentials, service),
        "www_authenticate_uri": f"{site.url('keystone')}/v3",
        "service_token_roles_required": "true",
        "service_token_roles": "service",
        "memcache_security_strategy": "None",
        "interface": "internal",
    }


def client(site: Site, credentials: Credentials, service: str, **more: str) -> dict[str, str]:
    """
    A section by which `service` calls another service.
    """
    return {**session(site, credentials, service), "valid_interfaces": "internal", **more}


def session(site: Site, credentials: Credentials, service: str) -> dict[str, str]:
    """
    How a service authenticates: as itself, in the service project.
    """
    return {
        "auth_url": f"{site.internal_url('keystone')}/v3",
        "auth_type": "password",
        "username": service,
        "password": credentials.service(service),
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": REGION,
    }


def locks(site: Site) -> dict[str, str]:
    """
    The oslo_concurrency section.
    """
    return {"lock_path": str(site.run)}
