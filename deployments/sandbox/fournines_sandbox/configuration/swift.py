"""
Swift's configuration: a proxy with Swift's own API and S3's, and one account, container and object server behind it.

One replica on one device: the embedded cloud keeps an object as safely as this machine keeps a file, no safer.
"""

from __future__ import annotations

from fournines_sandbox.configuration import document
from fournines_sandbox.configuration.document import Document
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.site import Site

FILE = "swift-proxy.conf"
COMMON_FILE = "swift.conf"
DEVICE = "disk"
"""The one device of the rings, a directory below the state directory."""

BACKENDS = ("account", "container", "object")

_PIPELINE = (
    "catch_errors",
    "gatekeeper",
    "healthcheck",
    "cache",
    "listing_formats",
    "bulk",
    # S3's identity is known only after s3token: authtoken behind it would take it away again.
    "authtoken",
    "s3api",
    "s3token",
    "keystoneauth",
    "copy",
    "slo",
    "dlo",
    "versioned_writes",
    "tempurl",
    "proxy-server",
)
_EGG = {
    "cache": "memcache",
    "authtoken": "",
}
_OPERATORS = "admin, member"


def sections(site: Site, credentials: Credentials) -> Document:
    """
    What swift-proxy.conf holds: a paste pipeline.
    """
    auth = document.session(site, credentials, "swift")
    filters = {
        f"filter:{name}": {"use": f"egg:swift#{_EGG.get(name) or name}"}
        for name in _PIPELINE[:-1]
        if name != "authtoken"
    }
    filters["filter:authtoken"] = {
        "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
        **document.token_middleware(site, credentials, "swift"),
        "delay_auth_decision": "true",
        "include_service_catalog": "false",
    }
    filters["filter:keystoneauth"] |= {"operator_roles": _OPERATORS}
    filters["filter:s3api"] |= {
        "location": document.REGION,
        "dns_compliant_bucket_names": "false",
        # An SDK signs for the name by which it calls; here that is an address.
        "check_bucket_owner": "false",
    }
    filters["filter:s3token"] |= {
        "auth_uri": f"{site.internal_url('keystone')}/v3",
        "delay_auth_decision": "true",
        **auth,
    }
    return {
        "DEFAULT": {**_common(site), "bind_ip": "127.0.0.1", "bind_port": str(site.port("swift"))},
        "pipeline:main": {"pipeline": " ".join(_PIPELINE)},
        "app:proxy-server": {
            "use": "egg:swift#proxy",
            "account_autocreate": "true",
            "allow_account_management": "false",
        },
        **filters,
    }


def backend_file(kind: str) -> str:
    """
    The file of a server behind the proxy.
    """
    return f"swift-{kind}.conf"


def backend(site: Site, kind: str) -> Document:
    """
    What the file of the account, container or object server holds.
    """
    return {
        "DEFAULT": {
            **_common(site),
            "bind_ip": "127.0.0.1",
            "bind_port": str(site.backend_port(kind)),
            "devices": str(site.state / "swift"),
            "mount_check": "false",
            # A file system that is nearly full refuses to take more rather than to fill up.
            "fallocate_reserve": "1%",
        },
        "pipeline:main": {"pipeline": f"{kind}-server"},
        f"app:{kind}-server": {"use": f"egg:swift#{kind}"},
    }


def common(credentials: Credentials) -> Document:
    """
    What swift.conf holds: where objects lie depends on it, so it never changes in a cloud's life.
    """
    return {
        "swift-hash": {"swift_hash_path_suffix": credentials.service("swift-paths")},
        "swift-constraints": {"max_file_size": str(5 * 1024**3)},
    }


def _common(site: Site) -> dict[str, str]:
    return {
        "swift_dir": str(site.etc),
        "user": "root",
        "workers": "0",
        "log_level": "WARNING",
        "log_address": "/dev/null",
    }
