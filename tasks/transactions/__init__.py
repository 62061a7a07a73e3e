"""
Transactions of our own through a service's endpoint: one module per engine, one Protocol for all.

Each does what a user does, small: write and read back, publish and consume, set and get. It goes through the load balancer, as users do, and
never to a member. The healer asks every second, each service in a thread of its own (flows/transactions.py).
"""

from __future__ import annotations

from typing import Protocol

from fournines.model.desired import Service
from fournines.model.inventory import Inventory
from fournines.model.transaction import Transaction

TIMEOUT_SECONDS = 1.5
"""A user would have given up."""


class Transactor(Protocol):
    """
    Whoever tries. Thread-safe; never raises for what a service does, and ends soon after its time-out.
    """

    def perform(
        self, service: Service, inventory: Inventory, *, timeout_seconds: float
    ) -> Transaction:
        """
        Try once. `inventory` names the load balancer's address.
        """
        ...
