"""
What blueprints call things by that are known only later: functions of their templates, each giving a reference.

    address(slot)      the address of a slot           self_address         that of the instance itself
    slot_names         the slots of this group         slots(group)         those of another group of the service
    vip()              the service's own way in        vip(load_balancer)   another one
    secret(name)       a secret of this service        ca_certificate       the platform's authority
    login(user)        under which name a user of this service logs in with secret("login-USER")
    certificate        of the instance itself          private_key          of the instance itself
    objects(fact)      the object store's host, port, region, ca, or bucket/SERVICE
    secret_of(service, name)   a secret of another service

A reference with several lines (certificates, keys) stands alone as the whole content of a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fournines.model import logins, names
from fournines.model.references import Kind, Reference

SLOT = "@SLOT@"
_SECRET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def of_service(platform: str, service: str) -> dict[str, Any]:
    """
    What a blueprint's own text may say.
    """

    def vip(load_balancer: str | None = None) -> str:
        own = names.of_service(platform, service, "lb")
        return str(Reference(Kind.VIP, load_balancer or own))

    def secret(name: str) -> str:
        return secret_of(service, name)

    def login(user: str) -> str:
        return str(Reference(Kind.LOGIN, f"{service}/{logins.kept_as(user)}"))

    def secret_of(other: str, name: str) -> str:
        if not _SECRET_NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name of a secret: lower-case letters, digits, _ and -"
            )
        return str(Reference(Kind.SECRET, f"{other}/{name}"))

    def objects(fact: str) -> str:
        return str(Reference(Kind.OBJECTS, fact))

    return {
        "vip": vip,
        "secret": secret,
        "login": login,
        "secret_of": secret_of,
        "objects": objects,
        "ca_certificate": str(Reference(Kind.CA, platform)),
    }


def of_group(
    platform: str, service: str, group: str, counts: Mapping[str, int]
) -> dict[str, Any]:
    """
    What the user-data of a group may say, besides. `counts` are the slots of each group.
    """

    def slots(other: str) -> list[str]:
        if other not in counts:
            raise ValueError(f"there is no group {other!r}")
        return [names.slot(platform, service, other, n) for n in range(counts[other])]

    def address(slot: str) -> str:
        return str(Reference(Kind.ADDRESS, slot))

    return {
        **of_service(platform, service),
        "slots": slots,
        "slot_names": slots(group),
        "address": address,
        "self_address": address(SLOT),
        "certificate": str(Reference(Kind.CERTIFICATE, SLOT)),
        "private_key": str(Reference(Kind.PRIVATE_KEY, SLOT)),
    }
