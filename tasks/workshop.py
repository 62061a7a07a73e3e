"""
What every effect works with: one cloud, one store, one clock, one pair of eyes, and helpers beside us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fournines.clock import Clock
from fournines.cloud.protocol import Cloud
from fournines.crew import THREADS, Crew
from fournines.model.objects import ObjectEndpoint, ObjectKey
from fournines.model.probing import Prober
from fournines.objects import ObjectStore
from fournines.objects.s3 import S3Objects
from fournines.settings import Settings
from fournines.store.protocol import Store
from tasks import holders
from tasks.operators import Operator
from tasks.transactions import Transactor


@dataclass(frozen=True, slots=True)
class Workshop:
    """
    The outside world, as effects reach it. Thread-safe, because its parts are. `holder` names us in leases, once for each operation;
    `operators` makes the operator of a stateful service, and `transactions` whoever tries it as a user, both by its blueprint's name;
    `objects` opens the object store.
    """

    cloud: Cloud
    store: Store
    clock: Clock
    prober: Prober
    settings: Settings
    crew: Crew = THREADS
    holder: Callable[[], str] = holders.name
    operators: Mapping[str, Callable[[Workshop], Operator]] = field(
        default_factory=dict
    )
    transactions: Mapping[str, Callable[[Workshop], Transactor]] = field(
        default_factory=dict
    )
    objects: Callable[[ObjectEndpoint, ObjectKey], ObjectStore] = S3Objects
