"""
Nova's servers as our instances: request bodies, and what a server's body means. Pure.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from fournines.cloud.errors import RequestInvalid
from fournines.model import sealing
from fournines.model.inventory import Instance
from fournines.model.ownership import Owner
from fournines.model.specification import InstanceSpec

Body = dict[str, Any]

MICROVERSION = "2.16"
"""The lowest that says how the host is, to those who may know; whether a server is locked is said from 2.9, everything else in 2.1."""

USER_DATA_LENGTH_MAX = 65_535
"""Nova's limit, of the encoded text."""


def owner(body: Body) -> Owner | None:
    """
    Whose a server is.
    """
    return Owner.from_metadata(body.get("metadata") or {})


def address(body: Body) -> str | None:
    """
    Its first fixed IPv4 address.
    """
    for ports in (body.get("addresses") or {}).values():
        for port in ports:
            if port["version"] == 4 and port.get("OS-EXT-IPS:type") != "floating":
                return str(port["addr"])
    return None


def status(body: Body) -> str:
    """
    Nova's status; DELETING while a delete is carried out, which Nova tells only by the task state.
    """
    leaving = body.get("OS-EXT-STS:task_state") == "deleting"
    return "DELETING" if leaving else str(body["status"])


def instance(
    body: Body,
    images: dict[str, str] | None = None,
    flavors: dict[str, str] | None = None,
) -> Instance:
    """
    A server as the domain knows it. `images` and `flavors` give names by id.
    """
    image = body.get("image") or {}
    number = image.get("id") if isinstance(image, dict) else None
    flavor = body.get("flavor") or {}
    size = flavor.get("original_name") or flavor.get("id")
    return Instance(
        id=body["id"],
        name=body["name"],
        owner=owner(body),
        status=status(body),
        zone=body.get("OS-EXT-AZ:availability_zone") or None,
        host=body.get("hostId") or None,
        host_status=body.get("host_status") or None,
        address=address(body),
        image=(images or {}).get(number, number) if number else None,
        flavor=(flavors or {}).get(size, size) if size else None,
        created_at=datetime.fromisoformat(body["created"]),
        fault=(body.get("fault") or {}).get("message"),
        locked=bool(body.get("locked")),
        holds_key=sealing.KEY in (body.get("metadata") or {}),
    )


def creation(
    spec: InstanceSpec,
    *,
    image: str,
    flavor: str,
    network: str,
    group: str | None,
    port: str | None = None,
) -> Body:
    """
    The body of the create. The ids are those of the spec's names.

    Raises:
        RequestInvalid: The user-data is too long for Nova.
    """
    server: Body = {
        "name": spec.name,
        "imageRef": image,
        "flavorRef": flavor,
        "networks": [{"port": port} if port else {"uuid": network}],
        "metadata": {**spec.metadata, **spec.owner.metadata()},
    }
    if spec.security_groups and not port:  # a port has its own
        server["security_groups"] = [{"name": name} for name in spec.security_groups]
    if spec.zone:
        server["availability_zone"] = spec.zone
    if spec.user_data:
        encoded = base64.b64encode(spec.user_data.encode()).decode()
        if len(encoded) > USER_DATA_LENGTH_MAX:
            raise RequestInvalid(
                f"creating instance {spec.name}",
                f"its user-data has {len(encoded)} characters when encoded; "
                f"Nova takes {USER_DATA_LENGTH_MAX}",
                "Fetch large artefacts by URL",
            )
        server["user_data"] = encoded
    body: Body = {"server": server}
    if group:
        body["os:scheduler_hints"] = {"group": group}
    return body
