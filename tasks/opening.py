"""
Opening the workshop of a process: the cloud, the store, the clock and the eyes its settings name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from fournines.clock import SystemClock
from fournines.cloud.openstack import open_cloud
from fournines.settings import Settings
from fournines.store.clock import StoreClock
from fournines.store.protocol import Store
from fournines.store.sql import open_store
from tasks.key_sources import ChosenKeys
from tasks.operators.registered import OPERATORS
from tasks.probing import HttpProber
from tasks.transactions.registered import TRANSACTIONS
from tasks.workshop import Workshop

lent: ContextVar[Workshop | None] = ContextVar("lent", default=None)
"""A workshop that is open already: commands and flows on the simulated cloud."""


@contextmanager
def store(settings: Settings) -> Iterator[Store]:
    """
    The store alone, for what needs no cloud (or the one lent).

    Raises:
        StoreError: It cannot be opened.
    """
    borrowed = lent.get()
    if borrowed is not None:
        yield borrowed.store
        return
    opened = open_store(settings.store_url, keys=ChosenKeys(settings))
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def workshop(settings: Settings) -> Iterator[Workshop]:
    """
    The workshop on a real cloud, closed at the end (or the one lent).

    Raises:
        CredentialsRefused: clouds.yaml has no such entry.
        StoreError: The store cannot be opened.
    """
    borrowed = lent.get()
    if borrowed is not None:
        yield borrowed
        return
    with store(settings) as opened:
        clock = StoreClock(opened, SystemClock())
        cloud = open_cloud(settings, clock=clock)
        try:
            yield Workshop(
                cloud=cloud,
                store=opened,
                clock=clock,
                prober=HttpProber(clock),
                settings=settings,
                operators=OPERATORS,
                transactions=TRANSACTIONS,
            )
        finally:
            cloud.close()
