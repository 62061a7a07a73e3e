"""
A person beside the healers: deploys again, scales and destroys services while things go wrong, and finishes later what did not get through.
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
from tests.sim.town import PLATFORM, is_cluster
from tests.sim.turns import Process, Turns


class Person:
    """
    Acts in a process of its own, which nobody kills.

    Attributes:
        unfinished: Changes that did not get through, and how they are finished: whoever began them will see to it.
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
        self._going: set[str] = set()
        self.unfinished: dict[int, tuple[str, Act]] = {}

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
        if service in self._going:
            return ""
        self._begin(service, lambda shop: self._deploy(shop, service), insist=True)
        return service

    def scale(self) -> str:
        """
        One member more, or one less. Clusters keep their size.
        """
        service = self._chance.choice(self.asked().services)
        group = service.groups[0]
        size = group.count + self._chance.choice((-1, 1))
        fits = group.healing.min_healthy < size <= SIZE_MAX
        if not fits or is_cluster(service) or service.name in self._going:
            return ""
        self._laws.expect(sizing.resized(self.asked(), service.name, size, None))
        self._begin(
            service.name,
            lambda shop: deployment.scale(shop, service.name, size, platform=PLATFORM),
            insist=True,
        )
        return f"{service.name} to {size}"

    def destroy(self) -> str:
        """
        Destroy a service, with its data; never the last one, and none that somebody changes.
        """
        services = [service.name for service in self.asked().services]
        changed = {service for service, _ in self.unfinished.values()}
        free = [s for s in services if s not in changed and s not in self._going]
        if len(services) - len(self._going) < 2 or not free:
            return ""
        service = self._chance.choice(free)
        self._going.add(service)
        self._begin(
            service,
            lambda shop: deployment.destroy(shop, PLATFORM, service=service),
            insist=False,
        )
        return service

    def finish(self) -> None:
        """
        See to what was left unfinished.
        """
        for number, (service, act) in list(self.unfinished.items()):
            self._attempt(number, service, act)

    def _deploy(self, shop: Workshop, service: str, *, insist: bool = False) -> Result:
        return deployment.deploy(shop, self.asked(), only=service, insist=insist)

    def _begin(self, service: str, act: Act, *, insist: bool) -> None:
        """
        `insist`: what did not get through is finished by deploying what is asked for then; else by doing it again.
        """
        number = next(self._number)
        again = (
            (lambda shop: self._deploy(shop, service, insist=True)) if insist else act
        )
        self.unfinished[number] = service, again
        self._turns.spawn(
            "person", self._process, lambda: self._attempt(number, service, act)
        )

    def _attempt(self, number: int, service: str, act: Act) -> None:
        me = f"person run {next(self._number)}"
        try:
            ended = act(replace(self._workshop, holder=lambda: me)).ok
        except (CloudError, StoreError):
            ended = False
        if ended:
            self.unfinished.pop(number, None)
            if service not in {one.name for one in self.asked().services}:
                self._going.discard(service)
        self._laws.expect(None)


Act = Callable[[Workshop], Result]

SIZE_MAX = 6
"""Enough for a storm, and few enough to be quick."""
