"""
Where a service's backups lie: a bucket of its own, with a key and a cipher of its own that are kept among its secrets.

Both outlive the service, since a database that was destroyed by mistake is what backups are for. What is made in the cloud follows from the
secrets, which are kept first: made twice it is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import SecretStr

from blueprints.postgres import backups
from fournines.cloud.errors import CloudError
from fournines.model.desired import Platform, Service
from fournines.model.objects import ObjectEndpoint, ObjectKey
from fournines.model.refusal import Reason, Refusal
from fournines.objects import ObjectStore
from fournines.planning.plan import Plan
from fournines.planning.steps import EnsureInstance
from fournines.trust.passwords import new_secret
from tasks.workshop import Workshop

ACCESS, SECRET, CIPHER = "backup-access", "backup-secret", "backup-cipher"
OF_JOBS = frozenset({"batch"})
"""Blueprints whose results and logs are objects: they cannot be without a store."""

KEY_SECONDS = 60.0
_DIGITS = 12
_NAME_MAX = 50


@dataclass(frozen=True, slots=True)
class Vault:
    """
    One service's bucket, open.
    """

    store: ObjectStore
    bucket: str
    cipher: str = field(repr=False)


def opened(workshop: Workshop, platform: str, service: str) -> Vault:
    """
    The vault of a service, be it deployed or not.

    Raises:
        CloudError: There is no object store.
    """
    key = _key(workshop, platform, service)
    store = workshop.objects(workshop.cloud.object_endpoint(), key)
    return Vault(
        store,
        _bucket(platform, service, key.access),
        _secret(workshop, platform, service, CIPHER),
    )


def prepare(workshop: Workshop, desired: Platform, made: Plan) -> None:
    """
    Have key and bucket of every service that gets instances and keeps objects, before the first one is made.

    Raises:
        CloudError: The object store does not answer, or said no.
    """
    getting = _getting(made)
    for service in desired.services:
        locked_days = _locked_days(service)
        if locked_days is None or service.name not in getting:
            continue
        ensured(workshop, desired.name, service.name, locked_days=locked_days)


def ensured(
    workshop: Workshop, platform: str, service: str, *, locked_days: int
) -> Vault:
    """
    The vault of a service, its key and bucket made where they are lacking.

    Raises:
        CloudError: There is no object store, it does not answer, or said no.
    """
    if workshop.settings.objects_access_key is None:
        key = _key(workshop, platform, service)
        workshop.cloud.ensure_object_key(key, deadline_seconds=KEY_SECONDS)
    vault = opened(workshop, platform, service)
    vault.store.ensure_bucket(vault.bucket, locked_days=locked_days)
    return vault


def _locked_days(service: Service) -> int | None:
    """
    For how long nothing in its bucket may change; None: it keeps no objects.
    """
    policy = backups.policy_of(service.blueprint, service.parameters)
    if policy is not None:
        return policy.immutable_days
    return 0 if service.blueprint in OF_JOBS else None


def is_known(workshop: Workshop, platform: str, service: str) -> bool:
    """
    Whether a service has, or had, backups: its cipher is kept.
    """
    return workshop.store.secrets.current(platform, f"{service}/{CIPHER}") is not None


def destroy(workshop: Workshop, platform: str, service: str) -> None:
    """
    Give up all backups of a service, its key with them.

    Raises:
        CloudError: The object store does not answer, or keeps them.
    """
    if not is_known(workshop, platform, service):
        return
    key = _key(workshop, platform, service)
    ours = workshop.settings.objects_access_key is None
    if ours:
        # Whoever died before the end has taken the key away already.
        workshop.cloud.ensure_object_key(key, deadline_seconds=KEY_SECONDS)
    vault = opened(workshop, platform, service)
    vault.store.delete_bucket(vault.bucket)
    if ours:
        workshop.cloud.delete_object_key(key.access, deadline_seconds=KEY_SECONDS)
    workshop.store.secrets.forget(platform, f"{service}/backup-")


def fact(workshop: Workshop, platform: str, name: str) -> str:
    """
    What user-data may be told of the object store: host, port, region, ca, bucket/SERVICE.
    """
    word, _, service = name.partition("/")
    if word == "bucket":
        return _bucket(platform, service, _key(workshop, platform, service).access)
    endpoint: ObjectEndpoint = workshop.cloud.object_endpoint()
    return {
        "host": endpoint.host,
        "port": str(endpoint.port),
        "region": endpoint.region,
        "ca": endpoint.ca,
    }[word]


def objections(workshop: Workshop, desired: Platform, made: Plan) -> Iterator[Refusal]:
    """
    What is against a plan because of backups: no place for them, or a restore over what lives.
    """
    getting = _getting(made)
    known = workshop.store.registry.platform(desired.name)
    living = {s.name: s for s in known.services} if known else {}
    for service in desired.services:
        if service.name not in getting:
            continue
        if _locked_days(service) is not None:
            yield from _without_store(workshop, service)
        wanted = backups.restore_of(service.parameters)
        before = living.get(service.name)
        if (
            wanted is not None
            and before is not None
            and backups.restore_of(before.parameters) != wanted
        ):
            yield Refusal(
                reason=Reason.IMMUTABLE,
                subject=service.name,
                detail=f"{service.name} has data of its own, and a restore would take its place; restore into another service, "
                f"or say so: fournines restore {wanted.service} --as {service.name} --over",
            )


def _without_store(workshop: Workshop, service: Service) -> Iterator[Refusal]:
    jobs = service.blueprint in OF_JOBS
    what = "results" if jobs else "backups"
    off = (
        f"or leave {service.name} out"
        if jobs
        else f"or switch backups of {service.name} off (parameters: backups: {{enabled: false}})"
    )
    try:
        endpoint = workshop.cloud.object_endpoint()
    except CloudError as error:
        said = f"{error.attempted}: {error.detail}. {error.remedy}"
    else:
        if endpoint.is_encrypted:
            return
        said = f"the object store {endpoint.url} speaks no TLS; name its port that does with FOURNINES_OBJECTS_URL"
    yield Refusal(
        reason=Reason.MISSING,
        subject=service.name,
        detail=f"there is no place for its {what}: {said}, {off}",
    )


def _getting(made: Plan) -> frozenset[str]:
    return frozenset(
        step.spec.owner.service
        for step in made.steps
        if isinstance(step, EnsureInstance) and step.spec.owner.service
    )


def _key(workshop: Workshop, platform: str, service: str) -> ObjectKey:
    given = workshop.settings
    access = _secret(
        workshop, platform, service, ACCESS, given=given.objects_access_key
    )
    secret = _secret(
        workshop, platform, service, SECRET, given=given.objects_secret_key
    )
    return ObjectKey(access=access, secret=SecretStr(secret))


def _secret(
    workshop: Workshop,
    platform: str,
    service: str,
    name: str,
    *,
    given: SecretStr | None = None,
) -> str:
    return workshop.store.secrets.ensure(
        platform,
        f"{service}/{name}",
        given.get_secret_value if given else new_secret,
        at=workshop.clock.now(),
    ).text


def _bucket(platform: str, service: str, access: str) -> str:
    """
    A name that nobody else has: buckets of all projects, and of the whole world, share one space.
    """
    own = hashlib.sha256(f"{platform}/{service}/{access}".encode()).hexdigest()
    return f"{platform}-{service}"[:_NAME_MAX] + f"-{own[:_DIGITS]}"
