"""
What the proofs of a message bus and a cache share: a platform deployed on the embedded cloud, people's commands, and writers that remember what was
acknowledged.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from fournines.model.cluster import ClusterView
from fournines.model.desired import Service
from fournines.settings import Settings
from tasks import opening
from tasks.operators import Cluster, Operator
from tasks.operators.access import Access
from tasks.operators.registered import OPERATORS, access_of
from tasks.workshop import Workshop
from tests.sandbox.services.command import fournines

IMAGES = {"batch": "slurm"}
"""Recipes of templates that are not called as their template."""


@dataclass(slots=True)
class Deployed:
    """
    One service of a platform of its own.
    """

    workshop: Workshop
    platform: str
    name: str
    file: Path

    @property
    def service(self) -> Service:
        """As it is asked for now."""
        found = self.workshop.store.registry.platform(self.platform)
        assert found is not None
        return found.service(self.name)

    @property
    def operator(self) -> Operator:
        """Whoever speaks for it."""
        return OPERATORS[self.service.blueprint](self.workshop)

    @property
    def access(self) -> Access:
        """The way in."""
        return access_of(self.workshop)(self.service)

    @property
    def address(self) -> str:
        """Where users reach it."""
        return self.workshop.cloud.entrances(f"{self.platform}-{self.name}-lb")[0]

    def cluster(self) -> Cluster:
        """Its members where they are now."""
        inventory = self.workshop.cloud.inventory(self.platform, self.name)
        return Cluster(self.service, self.service.groups[0], inventory)

    def view(self) -> ClusterView:
        """What it says of itself."""
        return self.operator.view(self.cluster())

    def instance(self, slot: str) -> str:
        """The instance in a slot."""
        found = self.cluster().instance(slot)
        assert found is not None
        return found.name

    def status(self, instance: str) -> str:
        """The cloud's word for an instance; empty when it has none."""
        inventory = self.workshop.cloud.inventory(self.platform, self.name)
        found = inventory.instance(instance)
        return found.status if found else ""

    def planned_steps(self) -> int:
        """How much a deploy would do."""
        told = json.loads(fournines("plan", str(self.file), "--json").stdout)
        return len(told["steps"])


@contextmanager
def deploying(member: Any, folder: Path) -> Iterator[Callable[..., Deployed]]:
    """
    Deploys one service from a template, whose image is baked if the cloud has none; all are destroyed afterwards.
    """
    platforms: list[str] = []
    with opening.workshop(Settings()) as workshop:

        def deploy(
            blueprint: str, name: str, flavor: str, **parameters: object
        ) -> Deployed:
            platform = f"proof-{blueprint}"
            image = IMAGES.get(blueprint, blueprint)
            if member.image.find_image(image) is None:
                fournines("bake", image)
            file = folder / "platform.yaml"
            service = {
                "blueprint": blueprint,
                "parameters": {"flavor": flavor, **parameters},
            }
            file.write_text(
                yaml.safe_dump({"platform": platform, "services": {name: service}})
            )
            platforms.append(platform)
            fournines("deploy", str(file), "--plain")
            return Deployed(workshop, platform, name, file)

        try:
            yield deploy
        finally:
            for platform in platforms:
                fournines("destroy", "--platform", platform, "--yes", "--plain")


@dataclass(slots=True)
class Writers:
    """
    Threads that write until told to stop. `write` makes one word permanent or raises; `connect` gives what it writes to.
    """

    connect: Callable[[], Any]
    write: Callable[[Any, str], None]
    count: int = 3
    acknowledged: list[str] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for number in range(self.count):
            thread = threading.Thread(target=self._run, args=(number,))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def await_more(self, count: int, seconds: float = 120.0) -> None:
        """Wait until so many more were acknowledged."""
        wanted, end = len(self.acknowledged) + count, time.monotonic() + seconds
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < end, f"nothing is acknowledged: {self.failed}"
            time.sleep(0.1)

    def longest_pause(self, since: float) -> float:
        """
        The longest time without an acknowledgement since a moment of the monotonic clock.
        """
        moments = [at for at in self.moments if at >= since - 1]
        return max((b - a for a, b in itertools.pairwise(moments)), default=math.inf)

    def _run(self, number: int) -> None:
        line: Any = None
        turn = 0
        while not self._stop.is_set():
            turn += 1
            word = f"{number}:{turn}"
            try:
                line = line or self.connect()
                self.write(line, word)
            except Exception as error:  # noqa: BLE001  what failed was not acknowledged
                self.failed[type(error).__name__] += 1
                line = None
                time.sleep(0.1)
            else:
                self.acknowledged.append(word)
                self.moments.append(time.monotonic())
                time.sleep(0.003)
