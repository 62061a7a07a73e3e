"""
Who tries which template as its users do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tasks.operators.registered import with_access
from tasks.transactions import Transactor
from tasks.transactions.cache import CacheTransactor
from tasks.transactions.postgres import PostgresTransactor
from tasks.transactions.rabbitmq import BusTransactor
from tasks.workshop import Workshop

TRANSACTIONS: Mapping[str, Callable[[Workshop], Transactor]] = {
    "cache": with_access(CacheTransactor),
    "postgres": with_access(PostgresTransactor),
    "rabbitmq": with_access(BusTransactor),
}
"""By blueprint's name."""
