"""
Definitions of message buses: into the object store, sealed as backups of databases are, and back into a bus that lives.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from blueprints.rabbitmq import keeping
from blueprints.rabbitmq.keeping import Kept, Policy
from fournines import log
from fournines.cloud.errors import CloudRefused
from fournines.model.desired import Platform, Service
from fournines.model.refusal import Refusal
from fournines.trust import salted
from tasks import leasing, membership, vaults
from tasks.archiving import NotBackedUp
from tasks.operators import Cluster, rabbitmq_definitions
from tasks.operators.registered import access_of
from tasks.restoring import RestoreRefused
from tasks.vaults import Vault
from tasks.workshop import Workshop

_SALT_BYTES = 8

_log = log.get("definitions")


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """
    Which definitions a bus was given, and how many of each kind.
    """

    kept: Kept
    counts: dict[str, int]

    def sentence(self) -> str:
        """
        For people.
        """
        parts = ", ".join(f"{n} {part}" for part, n in self.counts.items() if n)
        return f"{self.kept.label}: {parts or 'nothing'} brought back; what was there already is as it was, and messages are none of it"


def is_bus(platform: Platform, name: str) -> bool:
    """
    Whether backups of a service are definitions.
    """
    return any(
        one.name == name and one.blueprint == keeping.BLUEPRINT
        for one in platform.services
    )


def read(workshop: Workshop, platform: str, name: str) -> tuple[Kept, ...]:
    """
    What is kept of a bus, be it deployed or not; nothing where nothing was ever taken.

    Raises:
        CloudError: There is no object store, it does not answer, or says no.
    """
    if not vaults.is_known(workshop, platform, name):
        return ()
    vault = vaults.opened(workshop, platform, name)
    if not vault.store.has_bucket(vault.bucket):
        return ()
    return keeping.kept(vault.store.objects(vault.bucket, keeping.FOLDER))


def backup(workshop: Workshop, platform: Platform, name: str) -> Kept:
    """
    Take the definitions of a bus now.

    Raises:
        NotBackedUp: Its parameters want none.
        LeaseHeld: They are being taken already.
        CloudError: The bus or the object store does not answer.
    """
    service = platform.service(name)
    policy = wanted(service)
    lease = f"backup/{platform.name}/{name}"
    with leasing.holding(workshop, [lease], purpose=f"backup of {name}"):
        vault = vaults.ensured(workshop, platform.name, name, locked_days=0)
        found = rabbitmq_definitions.taken_from(
            _cluster(workshop, service), access_of(workshop)(service)
        )
        content = json.dumps(keeping.importable(found)).encode()
        before = keeping.kept(vault.store.objects(vault.bucket, keeping.FOLDER))
        place = keeping.place(policy, before)
        salt = secrets.token_bytes(_SALT_BYTES)
        sealed = salted.sealed(content, vault.cipher, salt)
        vault.store.write(vault.bucket, place, sealed)
        there = keeping.kept(vault.store.objects(vault.bucket, keeping.FOLDER))
    made = next(one for one in there if one.name == place)
    _log.info("definitions_kept", service=name, label=made.label, bytes=made.size_bytes)
    return made


def restore(
    workshop: Workshop,
    platform: Platform,
    name: str,
    new: str,
    *,
    to: datetime | None = None,
    label: str | None = None,
) -> BroughtBack:
    """
    Give a bus that is deployed (`new`, which may be the same one) what another held. Nothing is taken away from it.

    Raises:
        RestoreRefused: It cannot be done; nothing was touched.
        LeaseHeld: Somebody else is at it.
        CloudError: The bus or the object store does not answer, or said no.
    """
    if not is_bus(platform, new):
        raise RestoreRefused(
            f"definitions go into a bus that is deployed, and {new} is none of platform {platform.name}; deploy one of that name first"
        )
    found = keeping.chosen(
        name,
        read(workshop, platform.name, name),
        workshop.clock.now(),
        to=to,
        label=label,
    )
    if isinstance(found, Refusal):
        raise RestoreRefused(found.detail)
    definitions = _content(vaults.opened(workshop, platform.name, name), name, found)
    service = platform.service(new)
    lease = leasing.of_service(platform.name, new)
    with leasing.holding(workshop, [lease], purpose=f"restore of {new}"):
        rabbitmq_definitions.bring_back(
            _cluster(workshop, service), access_of(workshop)(service), definitions
        )
    counts = {part: len(ones) for part, ones in definitions.items()}
    _log.info("definitions_brought_back", service=new, label=found.label, **counts)
    return BroughtBack(found, counts)


def wanted(service: Service) -> Policy:
    """
    How a bus wants to be backed up.

    Raises:
        NotBackedUp: It does not.
    """
    policy = keeping.policy_of(service.blueprint, service.parameters)
    if policy is None:
        raise NotBackedUp(
            f"backups of {service.name} are switched off (parameters: backups: {{enabled: false}})"
        )
    return policy


def _content(
    vault: Vault, name: str, found: Kept
) -> dict[str, list[dict[str, object]]]:
    sealed = vault.store.read(vault.bucket, found.name)
    try:
        return keeping.importable(json.loads(salted.opened(sealed, vault.cipher)))
    except ValueError as error:
        raise CloudRefused(f"reading what is kept of {name}", str(error)) from error


def _cluster(workshop: Workshop, service: Service) -> Cluster:
    (group,) = service.groups
    ward = membership.ward(workshop, service, group)
    assert ward is not None
    return ward.cluster(workshop.cloud.inventory(service.platform, service.name))
