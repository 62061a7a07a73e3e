"""
References in user-data, resolved just before the cloud is asked for an instance: addresses, secrets, certificates.

What is resolved goes to the cloud and nowhere else: plans, journals, logs and Prefect have the references.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from fournines.concealment import conceal
from fournines.model import logins, references, sealing
from fournines.model.references import Kind, Reference
from fournines.model.specification import InstanceSpec
from fournines.store.secret_protocol import Secret
from fournines.trust import sealing as box
from fournines.trust.passwords import new_secret
from tasks import certificates, vaults
from tasks.workshop import Workshop

_HEAD = "#cloud-config\n"


def resolved(spec: InstanceSpec, workshop: Workshop) -> InstanceSpec:
    """
    The instance with every reference in its user-data replaced, and its confidential files sealed.

    Raises:
        CloudError: An address could not be read.
        StoreError: A secret could not be read or kept.
    """
    every = references.found(spec.user_data)
    if not every:
        return spec
    values = _Values(spec, workshop, every)
    document = yaml.safe_load(spec.user_data)
    files = list(document.get("write_files") or ())
    hidden = [one for one in files if _is_confidential(one)]
    plain = [one for one in files if not _is_confidential(one)]
    if plain or hidden:
        document = {**document, "write_files": plain}
    document = _walk(document, values)
    metadata = spec.metadata
    if hidden:
        key = box.new_key()
        conceal(key)
        document = box.with_sealed(
            document, [_walk(one, values) for one in hidden], key
        )
        metadata = {**metadata, sealing.KEY: key}
    return spec.model_copy(
        update={"user_data": _HEAD + json.dumps(document), "metadata": metadata}
    )


def _is_confidential(file: dict[str, Any]) -> bool:
    return references.is_confidential(str(file.get("content") or ""))


def _walk(data: Any, values: Callable[[Reference], str]) -> Any:
    if isinstance(data, str):
        return references.replaced(data, values)
    if isinstance(data, list):
        return [_walk(one, values) for one in data]
    if isinstance(data, dict):
        return {key: _walk(one, values) for key, one in data.items()}
    return data


class _Values:
    """
    What references stand for, each looked up once.
    """

    def __init__(
        self, spec: InstanceSpec, workshop: Workshop, every: tuple[Reference, ...]
    ) -> None:
        self._spec = spec
        self._workshop = workshop
        self._platform = spec.owner.platform
        self._known: dict[Reference, str] = {}
        self._secrets: dict[str, Secret] = {}
        ports = {one.name for one in every if one.kind is Kind.ADDRESS}
        self._addresses = workshop.cloud.port_addresses(sorted(ports)) if ports else {}

    def __call__(self, reference: Reference) -> str:
        if reference not in self._known:
            self._known[reference] = self._value(reference)
        return self._known[reference]

    def _value(self, reference: Reference) -> str:
        workshop, name = self._workshop, reference.name
        match reference.kind:
            case Kind.ADDRESS:
                return self._addresses[name]
            case Kind.VIP:
                return workshop.cloud.entrances(name)[0]
            case Kind.SECRET | Kind.LOGIN:
                return self._of_secret(reference)
            case Kind.CA:
                return certificates.trusted(workshop, self._platform)
            case Kind.CERTIFICATE | Kind.PRIVATE_KEY:
                self._issue(name)
                return self._known[reference]
            case Kind.OBJECTS:
                return vaults.fact(workshop, self._platform, name)

    def _of_secret(self, reference: Reference) -> str:
        secret = self._secret(reference.name)
        if reference.kind is Kind.SECRET:
            return secret.text
        user = logins.user_of(reference.name.partition("/")[2])
        assert user is not None, f"nobody logs in with {reference.name}"
        return logins.name(user, secret.version)

    def _secret(self, name: str) -> Secret:
        """
        Read once: a name and a password that are of one version belong together.
        """
        if name not in self._secrets:
            self._secrets[name] = self._workshop.store.secrets.ensure(
                self._platform, name, new_secret, at=self._workshop.clock.now()
            )
        return self._secrets[name]

    def _issue(self, slot: str) -> None:
        """
        Certificate and key of one slot belong together.
        """
        service = self._spec.owner.service or ""
        pair = certificates.of_slot(
            self._workshop, self._platform, service, slot, self._also()
        )
        self._known[Reference(Kind.CERTIFICATE, slot)] = pair.certificate
        self._known[Reference(Kind.PRIVATE_KEY, slot)] = pair.private_key

    def _also(self) -> list[str]:
        """
        By what else the slot is reached: its own address, and the ways into its service.
        """
        cloud, owner = self._workshop.cloud, self._spec.owner
        port = self._spec.port
        found = list(cloud.port_addresses([port]).values()) if port else []
        platform = self._workshop.store.registry.platform(self._platform)
        for service in platform.services if platform else ():
            if service.name == owner.service:
                for balancer in service.load_balancers:
                    found += cloud.entrances(balancer.name)
        return found
