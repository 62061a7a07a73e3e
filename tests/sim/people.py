"""
A person beside the healers: deploys again and scales services while things go wrong, and finishes later what did not get through.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from fournines.cloud.errors import CloudError
from fournines.model.desired import Platform
from fournines.store.protocol import StoreError
from tasks import deployment, sizing
from tasks.result import Result
from tasks.workshop import Workshop
from tests.sim.laws import Laws
from tests.sim.town import PLATFORM
from tests.sim.turns import Process, Turns


class Person:
    """
    Acts in a process of its own, which nobody kills.

    Attributes:
        unfinished: Services whose change did not get through: whoever began it will see to it.
    """

    def __init__(
        self, chance: random.Random, turns: Turns, workshop: Workshop, laws: Laws
    ) -> None:
        self._chance = chance
        self._turns = turns
        self._workshop = workshop
        self._laws = laws
        self._process = Process("person")
        self._number = count(1)
        self.unfinished: dict[str, None] = {}

    def asked(self) -> Platform:
        """
        What is asked for now.
        """
        platform = self._workshop.store.registry.platform(PLATFORM)
        assert platform is not None
        return platform

    def deploy(self) -> str:
        """
        Deploy one service once more, as it is.
        """
        service = self._chance.choice(self.asked().services).name
        self._begin(
            service,
            lambda shop: deployment.deploy(shop, self.asked(), only=service),
        )
        return service

    def scale(self) -> str:
        """
        One member more, or one less.
        """
        service = self._chance.choice(self.asked().services)
        group = service.groups[0]
        size = group.count + self._chance.choice((-1, 1))
        if not group.healing.min_healthy < size <= SIZE_MAX:
            return ""
        self._laws.expect(sizing.resized(self.asked(), service.name, size, None))
        self._begin(
            service.name,
            lambda shop: deployment.scale(shop, service.name, size, platform=PLATFORM),
        )
        return f"{service.name} to {size}"

    def finish(self) -> None:
        """
        See to what was left unfinished.
        """
        for service in list(self.unfinished):
            self._attempt(
                service,
                lambda shop, name=service: deployment.deploy(
                    shop, self.asked(), only=name, insist=True
                ),
            )

    def _begin(self, service: str, act: Callable[[Workshop], Result]) -> None:
        self._turns.spawn("person", self._process, lambda: self._attempt(service, act))

    def _attempt(self, service: str, act: Callable[[Workshop], Result]) -> None:
        me = f"person run {next(self._number)}"
        self.unfinished[service] = None
        try:
            ended = act(replace(self._workshop, holder=lambda: me)).ok
        except (CloudError, StoreError):
            ended = False
        if ended:
            self.unfinished.pop(service, None)
        self._laws.expect(None)


SIZE_MAX = 6
"""Enough for a storm, and few enough to be quick."""
