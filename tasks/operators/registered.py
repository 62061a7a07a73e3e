"""
Which engine's operator speaks for which template, and with what it is let in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from fournines.clock import Clock
from fournines.model import logins, names
from fournines.model.desired import Service
from fournines.trust.passwords import new_secret
from tasks import certificates
from tasks.operators import Operator
from tasks.operators.access import Access
from tasks.operators.cache import CacheOperator
from tasks.operators.postgres import PostgresOperator
from tasks.operators.rabbitmq import RabbitOperator
from tasks.operators.slurm import SlurmOperator
from tasks.workshop import Workshop

_OURSELVES = "operator"

Made = TypeVar("Made")


def access_of(workshop: Workshop) -> Callable[[Service], Access]:
    """
    The way into services: the platform's authority, secrets from the store, and a certificate of our own that bears the service's name.
    """

    def access(service: Service) -> Access:
        platform, name = service.platform, service.name

        def secret(of: str) -> str:
            return workshop.store.secrets.ensure(
                platform, f"{name}/{of}", new_secret, at=workshop.clock.now()
            ).text

        def certificate() -> tuple[str, str]:
            slot = names.of_service(platform, name, _OURSELVES)
            pair = certificates.of_slot(workshop, platform, name, slot, ())
            return pair.certificate, pair.private_key

        def logins_of(user: str) -> Mapping[str, str]:
            secret(logins.kept_as(user))
            secrets = workshop.store.secrets
            kept = secrets.kept(platform, f"{name}/{logins.kept_as(user)}")
            alone = secrets.current(platform, f"{name}/{logins.kept_alone_as(user)}")
            return logins.let_in(
                user,
                ((one.version, one.text) for one in kept),
                alone.text if alone else None,
            )

        return Access(
            certificates.trusted(workshop, platform), secret, certificate, logins_of
        )

    return access


def with_access(
    engine: Callable[[Callable[[Service], Access], Clock], Made],
) -> Callable[[Workshop], Made]:
    """
    Makes an engine's speaker for a workshop, with the way into its services.
    """
    return lambda workshop: engine(access_of(workshop), workshop.clock)


OPERATORS: Mapping[str, Callable[[Workshop], Operator]] = {
    "batch": with_access(SlurmOperator),
    "cache": with_access(CacheOperator),
    "postgres": with_access(PostgresOperator),
    "rabbitmq": with_access(RabbitOperator),
}
"""By blueprint's name."""
