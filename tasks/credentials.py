"""
What a service offers, resolved for a person: handed out once, then only rotated.
"""

from __future__ import annotations

from collections.abc import Mapping

from blueprints import admittance
from blueprints.observed import Observed
from fournines.model import logins, references
from fournines.model.desired import Platform, Service
from fournines.model.references import Kind, Reference
from fournines.trust.passwords import new_secret
from tasks import certificates, contents, observe
from tasks.workshop import Workshop

_AT = "%Y-%m-%d %H:%M UTC"


class CredentialsRefused(Exception):
    """
    They are not given; the message says why and what to do.
    """

    exit_code = 3


class NothingOffered(Exception):
    """
    The service has none.
    """

    exit_code = 2


def hand_out(workshop: Workshop, platform: Platform, name: str) -> dict[str, str]:
    """
    Everything a service offers, in the clear: for its tenant, once.

    Raises:
        NothingOffered: Its blueprint offers nothing.
        CredentialsRefused: They were handed out before, or the service is not known to let in with them.
        CloudError: An address could not be read.
        StoreError: A secret could not be read.
    """
    service = _offering(platform, name)
    _check_let_in(workshop, platform, service)
    secrets, now = workshop.store.secrets, workshop.clock.now()
    kept = [
        secrets.ensure(platform.name, one, new_secret, at=now)
        for one in secrets_of(service)
    ]
    before = [one for one in kept if one.handed_out_at is not None]
    if before:
        at = min(one.handed_out_at for one in before if one.handed_out_at)
        raise CredentialsRefused(
            f"the credentials of {name} were handed out at {at.strftime(_AT)}; "
            f"`fournines credentials {name} --rotate` makes new ones"
        )
    values = {Reference(Kind.SECRET, one.name): one.text for one in kept} | {
        Reference(Kind.LOGIN, one.name): logins.name(user, one.version)
        for one in kept
        if (user := _user_of(one.name))
    }
    told = {
        key: references.replaced(
            str(value), lambda one: values.get(one) or _public(workshop, platform, one)
        )
        for key, value in service.offers.items()
    }
    for one in kept:
        # Marked last, and each once: of two who ask at the same moment one is refused.
        if not secrets.hand_out(platform.name, one.name, one.version, at=now):
            raise CredentialsRefused(
                f"the credentials of {name} are being handed out to somebody else"
            )
    return told


def renew(workshop: Workshop, platform: Platform, name: str) -> tuple[str, ...]:
    """
    New versions of all secrets that a service offers; the names. They are in force once the instances that hold them are rolled.

    Raises:
        NothingOffered: It offers no secret.
    """
    service = _offering(platform, name)
    now = workshop.clock.now()
    names = secrets_of(service)
    if not names:
        raise NothingOffered(f"service {name} offers no secret that could be rotated")
    for one in names:
        workshop.store.secrets.add(platform.name, one, new_secret(), at=now)
    return names


def has_former(workshop: Workshop, platform: Platform, names: tuple[str, ...]) -> bool:
    """
    Whether one of these secrets still lets in with more than its version in force: a rotation was cut short.
    """
    kept = workshop.store.secrets.kept
    return any(_user_of(name) and len(kept(platform.name, name)) > 1 for name in names)


def retire(
    workshop: Workshop, platform: Platform, versions: Mapping[str, int]
) -> tuple[str, ...]:
    """
    Forget what lets users in beside these versions of their secrets, once nobody has it any more; of whom something was forgotten. Servers refuse it
    when they are told.
    """
    secrets, found = workshop.store.secrets, []
    for name, version in versions.items():
        user, service = _user_of(name), name.partition("/")[0]
        if user is None:
            continue
        going = secrets.forget_before(platform.name, name, version)
        alone = secrets.current(
            platform.name, f"{service}/{logins.kept_alone_as(user)}"
        )
        if alone is not None:
            going += secrets.forget_before(platform.name, alone.name, alone.version + 1)
        if going:
            found.append(user)
    return tuple(found)


def secrets_of(service: Service) -> tuple[str, ...]:
    """
    The names of the secrets that a service offers.
    """
    text = " ".join(str(value) for value in service.offers.values())
    return references.secrets(text)


def holders(platform: Platform, names: tuple[str, ...]) -> tuple[str, ...]:
    """
    The services whose instances hold one of these secrets, in the platform's order.
    """
    wanted = set(names)
    return tuple(
        service.name
        for service in platform.services
        if any(
            wanted & set(references.secrets(group.user_data))
            for group in service.groups
        )
    )


def _check_let_in(workshop: Workshop, platform: Platform, service: Service) -> None:
    logging_in = admittance.of(" ".join(str(one) for one in service.offers.values()))
    if not logging_in:
        return
    seen = observe.inventory(workshop, platform.name)
    found = contents.read(workshop, platform, seen, service.name)
    for to, users in logging_in:
        for group in admittance.holding(service, Observed(seen)):
            problem = admittance.unknown(to, users, found.get((to, group)))
            if problem:
                raise CredentialsRefused(problem)


def _user_of(secret: str) -> str | None:
    return logins.user_of(secret.partition("/")[2])


def _offering(platform: Platform, name: str) -> Service:
    service = platform.service(name)
    if not service.offers:
        raise NothingOffered(
            f"service {name} is of blueprint {service.blueprint}, which has no credentials to give"
        )
    return service


def _public(workshop: Workshop, platform: Platform, reference: Reference) -> str:
    match reference.kind:
        case Kind.VIP:
            # The way in for somebody outside, where there is one.
            return workshop.cloud.entrances(reference.name)[-1]
        case Kind.CA:
            return certificates.trusted(workshop, platform.name)
        case _:
            return str(reference)
