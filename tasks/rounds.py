"""
Rounds through all databases: the backups that are due, and the restores that are to be tried.
"""

from __future__ import annotations

from collections.abc import Callable

from blueprints.postgres import backups as policies
from blueprints.postgres.backups import Policy
from blueprints.rabbitmq import keeping
from fournines import log
from fournines.cloud.errors import CloudError, FeatureMissing
from fournines.model.desired import Platform, Service
from fournines.model.value import Value
from fournines.store.protocol import LeaseHeld
from tasks import archiving, definitions, drilling, repositories
from tasks.archiving import BackupFailed, Tell
from tasks.drilling import DrillFailed
from tasks.workshop import Workshop

_log = log.get("rounds")


class Round(Value):
    """
    What came of one service.
    """

    platform: str
    service: str
    said: str = ""
    error: str = ""

    def sentence(self) -> str:
        """
        For people.
        """
        return f"{self.platform}/{self.service}: {self.error or self.said}"


def backups(
    workshop: Workshop, *, tell: Tell = lambda _line: None
) -> tuple[Round, ...]:
    """
    Take every backup that is due, one after the other; one that fails keeps no other from being taken.

    Raises:
        StoreError: The registry could not be read.
    """

    def take(platform: Platform, service: Service, policy: Policy) -> str:
        kept = repositories.read(workshop, platform.name, service.name)
        kind = policies.due(policy, kept)
        if kind is None:
            return ""
        made = archiving.backup(workshop, platform, service.name, kind, tell=tell)
        return f"{kind} backup {made.label}"

    return (*_each(workshop, take), *_buses(workshop))


def _buses(workshop: Workshop) -> tuple[Round, ...]:
    """
    The definitions of the buses for which it is time. Where a cloud has no object store, a bus goes without and the log says so.
    """
    found = []
    for platform in workshop.store.registry.platforms():
        for service in platform.services:
            policy = keeping.policy_of(service.blueprint, service.parameters)
            if policy is None:
                continue
            here = Round(platform=platform.name, service=service.name)
            try:
                there = definitions.read(workshop, platform.name, service.name)
                if not keeping.is_due(policy, there, workshop.clock.now()):
                    continue
                made = definitions.backup(workshop, platform, service.name)
            except FeatureMissing as error:
                _log.warning("not_kept", service=service.name, error=str(error))
            except (CloudError, LeaseHeld) as error:
                _log.error("round_failed", service=service.name, error=str(error))
                found.append(here.model_copy(update={"error": str(error)}))
            else:
                said = f"definitions {made.label}"
                found.append(here.model_copy(update={"said": said}))
    return tuple(found)


def drills(workshop: Workshop, *, tell: Tell = lambda _line: None) -> tuple[Round, ...]:
    """
    Try every restore that is due, one after the other. Raises as `backups` does.
    """

    def attempt(platform: Platform, service: Service, policy: Policy) -> str:
        kept = drilling.kept_drills(workshop, platform.name, service.name)
        if not policies.drill_due(policy, kept, workshop.clock.now()):
            return ""
        done = drilling.drill(workshop, platform, service.name, tell=tell)
        said = "; ".join(one.sentence() for one in done)
        if not all(one.ok for one in done):
            raise DrillFailed(said)
        return said

    return _each(workshop, attempt)


def _each(
    workshop: Workshop, act: Callable[[Platform, Service, Policy], str]
) -> tuple[Round, ...]:
    """
    What was done for each service that wants backups; nothing is told of those for which nothing was due.
    """
    found = []
    for platform in workshop.store.registry.platforms():
        for service in platform.services:
            policy = policies.policy_of(service.blueprint, service.parameters)
            if policy is None:
                continue
            here = Round(platform=platform.name, service=service.name)
            try:
                said = act(platform, service, policy)
            except (BackupFailed, DrillFailed, CloudError, LeaseHeld) as error:
                _log.error("round_failed", service=service.name, error=str(error))
                found.append(here.model_copy(update={"error": str(error)}))
                continue
            if said:
                found.append(here.model_copy(update={"said": said}))
    return tuple(found)
