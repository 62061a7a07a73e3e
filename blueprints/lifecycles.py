"""
The lifecycle of every stateful template, by its blueprint's name; by blueprint and group where groups differ. A template without one is cattle.
"""

from __future__ import annotations

from collections.abc import Mapping

from blueprints.batch import lifecycle as batch
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
    "batch/controller": batch.CONTROLLER,
    "batch/workers": batch.WORKERS,
}


def of(service: Service, group: Group) -> Lifecycle | None:
    """
    The rules of a group; None: its instances are cattle.
    """
    if not group.is_ordinal:
        return None
    own = RULES.get(f"{service.blueprint}/{group.name}")
    return own or RULES.get(service.blueprint)
