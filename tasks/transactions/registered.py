"""
Who tries which template as its users do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tasks.operators.registered import access_of
from tasks.transactions import Transactor
from tasks.transactions.cache import CacheTransactor
from tasks.transactions.postgres import PostgresTransactor
from tasks.transactions.rabbitmq import BusTransactor
from tasks.workshop import Workshop


def _cache(workshop: Workshop) -> Transactor:
    return CacheTransactor(access_of(workshop), workshop.clock)


def _postgres(workshop: Workshop) -> Transactor:
    return PostgresTransactor(access_of(workshop), workshop.clock)


def _rabbitmq(workshop: Workshop) -> Transactor:
    return BusTransactor(access_of(workshop), workshop.clock)


TRANSACTIONS: Mapping[str, Callable[[Workshop], Transactor]] = {
    "cache": _cache,
    "postgres": _postgres,
    "rabbitmq": _rabbitmq,
}
"""By blueprint's name."""
