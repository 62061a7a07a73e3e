"""
Rounds through all databases: the backups that are due.
"""

from __future__ import annotations

from collections.abc import Callable

from blueprints.postgres import backups as policies
from fournines import log
from fournines.cloud.errors import CloudError
from fournines.model.value import Value
from fournines.store.protocol import LeaseHeld
from tasks import archiving, repositories
from tasks.archiving import BackupFailed
from tasks.workshop import Workshop

_log = log.get("rounds")


class Round(Value):
    """
    What came of one service.
    """

    platform: str
    service: str
    kind: str = ""
    label: str = ""
    error: str = ""

    def sentence(self) -> str:
        """
        For people.
        """
        return f"{self.platform}/{self.service}: {self.error or f'{self.kind} backup {self.label}'}"


def backups(
    workshop: Workshop, *, tell: Callable[[str], None] = lambda _line: None
) -> tuple[Round, ...]:
    """
    Take every backup that is due, one after the other; one that fails keeps no other from being taken.

    Raises:
        StoreError: The registry could not be read.
    """
    found = []
    for platform in workshop.store.registry.platforms():
        for service in platform.services:
            policy = policies.policy_of(service.blueprint, service.parameters)
            if policy is None:
                continue
            here = Round(platform=platform.name, service=service.name)
            try:
                kept = repositories.read(workshop, platform.name, service.name)
                kind = policies.due(policy, kept)
                if kind is None:
                    continue
                made = archiving.backup(
                    workshop, platform, service.name, kind, tell=tell
                )
                done = {"kind": kind, "label": made.label}
            except (BackupFailed, CloudError, LeaseHeld) as error:
                _log.error("not_backed_up", service=service.name, error=str(error))
                done = {"error": str(error)}
            found.append(here.model_copy(update=done))
    return tuple(found)
