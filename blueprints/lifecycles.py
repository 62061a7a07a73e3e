"""
The lifecycle of every stateful template, by its blueprint's name. A template without one is cattle.
"""

from __future__ import annotations

from collections.abc import Mapping

from blueprints.cache import lifecycle as cache
from blueprints.lifecycle import Lifecycle, QuorumRules
from blueprints.postgres.lifecycle import RULES as POSTGRES_RULES
from blueprints.rabbitmq import lifecycle as rabbitmq
from fournines.model.desired import Group, Service

QUORUM = "quorum"
"""The plain rules under a name of their own: what the simulator's town runs, and what a template begins with."""

RULES: Mapping[str, Lifecycle] = {
    QUORUM: QuorumRules(holds=True),
    "postgres": POSTGRES_RULES,
    "cache": cache.RULES,
    "rabbitmq": rabbitmq.RULES,
}


def of(service: Service, group: Group) -> Lifecycle | None:
    """
    The rules of a group; None: its instances are cattle.
    """
    return RULES.get(service.blueprint) if group.identity == "ordinal" else None
