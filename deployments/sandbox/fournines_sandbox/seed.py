"""
What a fresh cloud is given once: service users and catalogue, a project and its user, flavors, the external network,
the routable subnet pool, the base image.

Everything is looked for before it is made, so an interrupted seeding is simply run again.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Callable
from typing import Any

import openstack
from openstack.connection import Connection

from fournines_sandbox import depot, image, supervision
from fournines_sandbox.configuration.document import REGION
from fournines_sandbox.configuration.neutron import EXTERNAL_PHYSICAL_NETWORK
from fournines_sandbox.credentials import Credentials
from fournines_sandbox.services.serving import CATALOGUE_MARKER
from fournines_sandbox.site import Site

PROJECT = "fournines"
VERSION = 6
"""Raised whenever seeding gives something new, so that older homes get it at their next start."""

SOURCE_PROPERTY = "fournines_package_source"
"""Property of the base image, inherited by all that grow from it: where its packages are to be had while it is baked."""

_ROLES = ("load-balancer_admin", "load-balancer_member", "load-balancer_observer", "creator")
_MEMBER_ROLES = ("member", "reader", "load-balancer_member", "creator")
_CATALOGUE = {
    "placement": ("placement", ""),
    "glance": ("image", ""),
    "nova": ("compute", "/v2.1"),
    "neutron": ("network", ""),
    "cinder": ("block-storage", "/v3"),
    "octavia": ("load-balancer", ""),
}
_FLAVORS = {
    # name: (vcpus, ram MB, disk GB)
    "m1.tiny": (1, 256, 1),
    "m1.small": (1, 512, 2),
    "m1.medium": (2, 1024, 4),
    "m1.large": (4, 4096, 8),
}


def write_keys(site: Site) -> None:
    """
    Make Keystone's token and credential keys unless they exist.
    """
    for kind in ("fernet", "credential"):
        directory = site.state / "keystone" / kind
        directory.mkdir(parents=True, exist_ok=True)
        directory.parent.chmod(0o700)
        for number in ("0", "1"):
            path = directory / number
            if not path.exists():
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))


def seeded(site: Site) -> bool:
    """
    Whether this cloud has everything this version gives.
    """
    marker = site.state / "seeded.json"
    return marker.exists() and bool(json.loads(marker.read_text())["version"] == VERSION)


def bootstrap(site: Site, credentials: Credentials) -> None:
    """
    Make Keystone's administrator and its own catalogue entry; the database suffices, Keystone need not run.
    """
    marker = site.state / "bootstrapped"
    if marker.exists():
        return
    url = f"{site.url('keystone')}/v3"
    done = subprocess.run(
        [
            str(site.venv / "bin" / "keystone-manage"),
            *("--config-file", str(site.etc / "keystone.conf"), "bootstrap"),
        ],
        env={
            **os.environ,
            "OS_BOOTSTRAP_PASSWORD": credentials.admin,
            "OS_BOOTSTRAP_REGION_ID": REGION,
            "OS_BOOTSTRAP_PUBLIC_URL": url,
            "OS_BOOTSTRAP_INTERNAL_URL": f"{site.internal_url('keystone')}/v3",
            "OS_BOOTSTRAP_ADMIN_URL": url,
            "PYTHONWARNINGS": "ignore",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"keystone-manage bootstrap failed: {done.stderr.strip()[-500:]}")
    marker.touch()


def administrator(site: Site, credentials: Credentials) -> Connection:
    """
    The cloud as its administrator sees it.
    """
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=f"{site.url('keystone')}/v3",
        username="admin",
        password=credentials.admin,
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name=REGION,
    )


def identities(site: Site, credentials: Credentials) -> None:
    """
    Service users, the catalogue, the project `fournines` and its user; the other services cannot work before.
    """
    cloud = administrator(site, credentials)
    identity = cloud.identity
    roles = {role.name: role for role in identity.roles()}
    for name in _ROLES:
        roles[name] = roles.get(name) or identity.create_role(name=name)

    service_project = _project(cloud, "service")
    for name, (kind, path) in _CATALOGUE.items():
        user = _user(cloud, name, credentials.service(name), service_project)
        _assign(cloud, user, service_project, [roles["admin"], roles["service"]])
        _endpoints(cloud, name, kind, site.url(name) + path, site.internal_url(name) + path)
    _object_store(site, cloud, credentials, service_project, roles)
    inside = f"{site.internal_url('keystone')}/v3"
    _endpoints(cloud, "keystone", "identity", f"{site.url('keystone')}/v3", inside)

    project = _project(cloud, PROJECT)
    member = _user(cloud, PROJECT, credentials.member, project)
    _assign(cloud, member, project, [roles[name] for name in _MEMBER_ROLES])
    admin = identity.find_user("admin", ignore_missing=False)
    admin_project = identity.find_project("admin", ignore_missing=False)
    _assign(cloud, admin, admin_project, [roles["load-balancer_admin"]])
    (site.state / CATALOGUE_MARKER).touch()


def _object_store(
    site: Site, cloud: Connection, credentials: Credentials, project: Any, roles: dict[str, Any]
) -> None:
    """
    Swift, at an address that instances reach as well: backups are written from inside them.
    """
    user = _user(cloud, "swift", credentials.service("swift"), project)
    _assign(cloud, user, project, [roles["admin"], roles["service"]])
    path = f":{site.port('swift')}/v1/AUTH_%(project_id)s"
    _endpoints(
        cloud,
        "swift",
        "object-store",
        f"http://{site.external_network[1]}{path}",
        f"http://localhost{path}",
    )
    encrypted = f"https://{site.external_network[1]}:{site.tls_port('swift')}"
    _endpoints(cloud, "s3", "s3", encrypted, encrypted)


def resources(site: Site, credentials: Credentials, say: Callable[[str], None]) -> None:
    """
    Flavors, networks and the image, in the running cloud.
    """
    cloud = administrator(site, credentials)
    _networks(site, cloud)
    _image(site, cloud, say)
    if "nova" not in supervision.programs(site):
        return
    _flavors(cloud)
    (site.state / "seeded.json").write_text(json.dumps({"version": VERSION}))


def _project(cloud: Connection, name: str) -> Any:
    return cloud.identity.find_project(name) or cloud.identity.create_project(
        name=name, domain_id="default"
    )


def _user(cloud: Connection, name: str, password: str, project: Any) -> Any:
    return cloud.identity.find_user(name) or cloud.identity.create_user(
        name=name, password=password, domain_id="default", default_project_id=project.id
    )


def _assign(cloud: Connection, user: Any, project: Any, roles: list[Any]) -> None:
    for role in roles:
        cloud.identity.assign_project_role_to_user(project, user, role)


def _endpoints(cloud: Connection, name: str, kind: str, url: str, internal_url: str) -> None:
    service = cloud.identity.find_service(name) or cloud.identity.create_service(
        name=name, type=kind
    )
    known = {item.interface: item for item in cloud.identity.endpoints(service_id=service.id)}
    for interface, wanted in (("public", url), ("internal", internal_url), ("admin", url)):
        if interface not in known:
            cloud.identity.create_endpoint(
                service_id=service.id, interface=interface, region_id=REGION, url=wanted
            )
        elif known[interface].url != wanted:
            cloud.identity.update_endpoint(known[interface], url=wanted)


def _flavors(cloud: Connection) -> None:
    known = {flavor.name for flavor in cloud.compute.flavors()}
    for name, (vcpus, ram, disk) in _FLAVORS.items():
        if name not in known:
            cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk, is_public=True)


def _networks(site: Site, cloud: Connection) -> None:
    network = cloud.network.find_network("public") or cloud.network.create_network(
        name="public",
        is_router_external=True,
        provider_network_type="flat",
        provider_physical_network=EXTERNAL_PHYSICAL_NETWORK,
    )
    cidr = site.external_network
    if not cloud.network.find_subnet("public"):
        cloud.network.create_subnet(
            name="public",
            network_id=network.id,
            ip_version=4,
            cidr=str(cidr),
            gateway_ip=str(cidr[1]),
            is_dhcp_enabled=False,
            # The first addresses are kept for the host and whatever a person adds by hand.
            allocation_pools=[{"start": str(cidr[256]), "end": str(cidr[-2])}],
        )
    if not cloud.network.find_subnet_pool("routable"):
        cloud.network.create_subnet_pool(
            name="routable",
            prefixes=[str(site.routable_pool)],
            default_prefix_length=26,
            minimum_prefix_length=20,
            maximum_prefix_length=29,
            is_shared=True,
            is_default=True,
        )


def _image(site: Site, cloud: Connection, say: Callable[[str], None]) -> None:
    found = cloud.image.find_image(image.NAME)
    source = depot.source(site)
    if found and found.status == "active":
        _tell_source(cloud, found, source)
        return
    path = image.ensure(site, say)
    if found:
        cloud.image.delete_image(found, ignore_missing=True)
    cloud.image.create_image(
        name=image.NAME,
        filename=str(path),
        disk_format="raw",
        container_format="bare",
        visibility="public",
        min_disk=image.MIN_DISK_GB,
        min_ram=image.MIN_RAM_MB,
        properties={**image.properties(site), SOURCE_PROPERTY: source},
        allow_duplicates=True,
        validate_checksum=False,
        wait=True,
    )


def _tell_source(cloud: Connection, found: Any, source: str) -> None:
    """An image seeded before there was a depot, or while the cloud had another slot."""
    known = (found.properties or {}).get(SOURCE_PROPERTY)
    if known == source:
        return
    change = {"op": "replace" if known else "add", "path": f"/{SOURCE_PROPERTY}", "value": source}
    response = cloud.image.patch(
        f"/images/{found.id}",
        json=[change],
        headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
    )
    response.raise_for_status()
