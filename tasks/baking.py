"""
Baking one image: a builder is booted, configured by cloud-init alone, proved, sealed, made into an image, and the image proved once more.

Everything a bake makes has a name that follows from the recipe, and one lease says whose it is: whoever comes after a worker that died, the next
bake or the healer's timer, takes the lease and clears what it left. A bake that fails leaves its log and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from blueprints import baked as catalogue
from blueprints import baking, builder_data, console_marks
from blueprints import recipe as recipes_
from blueprints.baked import Baked, State
from blueprints.recipe import Recipe
from fournines import log
from fournines.cloud import permit
from fournines.cloud.errors import CloudError, ResourceMissing
from fournines.model.inventory import Image
from fournines.model.ownership import Owner
from fournines.model.refusal import Refusal
from fournines.model.specification import ImageSpec, InstanceSpec, NetworkSpec
from fournines.planning.plan import Purpose
from fournines.store.protocol import StepState
from tasks import bake_clearing as clearing
from tasks import bake_listening, leasing, leftovers
from tasks.bake_clearing import PLATFORM, STEP_SECONDS
from tasks.bake_listening import BakeFailed
from tasks.leasing import Holding
from tasks.workshop import Workshop

IMAGE_SECONDS = 1_800.0
"""For writing some GB to where a cloud keeps its images."""

SMOKE_SECONDS = 300.0
_OUTCOME_LENGTH_MAX = 500

_log = log.get("baking")

Perform = Callable[[str, str, Callable[[], None]], None]
"""Runs one step: its kind, its subject, its work."""


Tell = Callable[[str], None]
"""Hears what is done now."""


def at_once(_kind: str, _subject: str, work: Callable[[], None]) -> None:
    """
    A step without anybody who shows it.
    """
    work()


def unheard(_line: str) -> None:
    """
    Nobody listens.
    """


@dataclass(frozen=True, slots=True)
class Bench:
    """
    What bakes stand on: the recipes and the image that the eldest of them grows from.
    """

    recipes: Mapping[str, Recipe]
    base_image: str = ""
    package_source: str = ""
    perform: Perform = at_once
    tell: Tell = unheard


@dataclass(slots=True)
class Result:
    """
    A bake that succeeded: what was made, and how long each step took.
    """

    image: Baked
    seconds: dict[str, float] = field(default_factory=dict)


def bake(workshop: Workshop, name: str, bench: Bench) -> Result:
    """
    Bake the image of a recipe and make it the current one.

    Raises:
        LeaseHeld: It is being baked already; the message says by whom.
        BakeFailed: The builder or the image did not do what its recipe asks for; nothing is left but the log.
        CloudError: The cloud failed; nothing is left.
    """
    purpose = f"bake of {name}"
    with leasing.holding(workshop, [clearing.lease_of(name)], purpose=purpose) as held:
        one = _Bake(workshop, bench, held, name)
        with permit.granted(held.check):
            return one.run()


class _Bake:
    """
    One bake on its way.
    """

    def __init__(
        self, workshop: Workshop, bench: Bench, held: Holding, name: str
    ) -> None:
        self._workshop = workshop
        self._cloud = workshop.cloud
        self._bench = bench
        self._held = held
        self._recipe = bench.recipes[name]
        self._name = name
        self._nonce = secrets.token_hex(8)
        self._owner = Owner(platform=PLATFORM, service=name)
        self._seconds: dict[str, float] = {}
        self._installed: dict[str, str] = {}
        self._packages_digest = ""

    def run(self) -> Result:
        """
        From leftovers cleared to promoted.
        """
        clearing.clear(self._workshop, self._name)
        leftovers.close(self._workshop, Purpose.BAKE, self._name)
        images = self._cloud.images()
        parent = self._parent(images)
        at = self._workshop.clock.now()
        self._image = catalogue.new_name(self._name, at, {one.name for one in images})
        flavor = self._flavor(parent)
        with self._journalled(at):
            made = self._made(parent, flavor, at)
        return Result(made, self._seconds)

    def _made(self, parent: Image, flavor: str, at: datetime) -> Baked:
        listening = bake_listening.Listening(
            self._workshop, self._nonce, self._bench.tell, self._log_file(at)
        )
        self._step("network", self._ensure_network)
        source = self._bench.package_source or parent.properties.get(
            catalogue.SOURCE_PROPERTY, ""
        )
        data = builder_data.builder(
            self._recipe, nonce=self._nonce, image=self._image, source=source
        )
        self._step(
            "boot", partial(self._boot, clearing.builder, parent.name, flavor, data)
        )
        self._step("configure", partial(self._configure, listening))
        stop = partial(
            self._cloud.stop_instance,
            clearing.builder(self._name),
            deadline_seconds=STEP_SECONDS,
        )
        self._step("shut-down", stop)
        candidate = self._described(parent, at)
        self._step("image", partial(self._make_image, candidate))
        delete = partial(self._cloud.delete_instance, deadline_seconds=STEP_SECONDS)
        self._step("clear-builder", partial(delete, clearing.builder(self._name)))
        proof = builder_data.smoke(self._recipe, nonce=self._nonce)
        self._step("prove", partial(self._prove, flavor, proof, listening))
        self._step("clear-prover", partial(delete, clearing.prover(self._name)))
        gone = partial(
            self._cloud.delete_network,
            clearing.network(self._name),
            deadline_seconds=STEP_SECONDS,
        )
        self._step("clear-network", gone)
        self._step("promote", partial(self._promote, candidate))
        known = catalogue.read(self._cloud.images())
        return next(one for one in known if one.name == self._image)

    def _step(self, kind: str, work: Callable[[], object]) -> None:
        """
        Journal the intent, do it, journal the end. What is done within may be done by another thread: the right goes along.
        """
        journal, clock = self._workshop.store.journal, self._workshop.clock
        begun = clock.monotonic()
        self._bench.tell(kind.replace("-", " "))
        rights = self._held.rights()
        journal.intend(self._plan, kind, kind, at=clock.now(), rights=rights)

        def permitted() -> None:
            with permit.granted(self._held.check):
                work()

        try:
            self._bench.perform(kind, self._image, permitted)
        except Exception as error:
            journal.finish(
                self._plan, kind, StepState.FAILED, at=clock.now(), error=str(error)
            )
            raise
        self._seconds[kind] = round(clock.monotonic() - begun, 1)
        journal.finish(self._plan, kind, StepState.DONE, at=clock.now())
        _log.info(
            "bake_step", image=self._image, step=kind, seconds=self._seconds[kind]
        )

    @contextmanager
    def _journalled(self, at: datetime) -> Iterator[None]:
        """
        A bake that ends badly is cleared before its journal is closed; where even that fails, it stays open for the timer.
        """
        journal, clock = self._workshop.store.journal, self._workshop.clock
        self._plan = leftovers.open_journal(
            self._workshop,
            Purpose.BAKE,
            PLATFORM,
            self._name,
            held=self._held,
            at=at,
        )
        try:
            yield
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            try:
                clearing.clear(self._workshop, self._name)
            except CloudError as trouble:
                _log.error("bake_not_cleared", recipe=self._name, error=str(trouble))
                raise error from None
            outcome = f"failed: {error}"[:_OUTCOME_LENGTH_MAX]
            journal.close_plan(self._plan, outcome=outcome, at=clock.now())
            raise
        journal.close_plan(
            self._plan, outcome=f"{self._image} is current", at=clock.now()
        )

    def _parent(self, images: tuple[Image, ...]) -> Image:
        wanted = self._recipe.parent
        if wanted in self._bench.recipes:
            found = catalogue.current(catalogue.read(images), wanted)
            wanted = found.name if found else wanted
        elif self._bench.base_image:
            wanted = self._bench.base_image
        for image in images:
            if image.status == "active" and wanted in {image.name, image.id}:
                return image
        raise ResourceMissing(
            f"baking {self._name}",
            f"there is no image {wanted} to begin with",
            "Name a Debian or Ubuntu cloud image of this cloud with FOURNINES_BASE_IMAGE",
        )

    def _flavor(self, parent: Image) -> str:
        flavors = self._cloud.inventory(PLATFORM, self._name).flavors
        found = baking.flavor_for(self._recipe, parent.min_disk_gb, flavors)
        if isinstance(found, Refusal):
            raise BakeFailed(found.detail)
        return found.name

    def _ensure_network(self) -> None:
        spec = NetworkSpec(name=clearing.network(self._name), owner=self._owner)
        self._cloud.ensure_network(spec, deadline_seconds=STEP_SECONDS)

    def _boot(
        self, named: Callable[[str], str], image: str, flavor: str, data: str
    ) -> None:
        spec = InstanceSpec(
            name=named(self._name),
            owner=self._owner,
            image=image,
            flavor=flavor,
            network=clearing.network(self._name),
            user_data=data,
        )
        self._cloud.ensure_instance(spec, deadline_seconds=STEP_SECONDS)

    def _configure(self, listening: bake_listening.Listening) -> None:
        heard = listening.until(
            "sealed", clearing.builder(self._name), self._recipe.timeout_seconds
        )
        told = heard.texts.get("packages", "")
        self._installed = console_marks.packages(told)
        if not self._installed:
            raise BakeFailed(
                f"the console of {clearing.builder(self._name)} lost parts of the package list; bake it again"
            )
        self._packages_digest = self._keep_packages(told)

    def _keep_packages(self, text: str) -> str:
        """
        The package list as a file beside the logs; its digest stands in the image's properties.
        """
        return bake_listening.keep(
            self._workshop.settings.state_dir / "images" / f"{self._image}.packages",
            text,
        )

    def _described(self, parent: Image, at: datetime) -> Baked:
        return Baked(
            id="",
            name=self._image,
            recipe=self._name,
            digest=recipes_.digest(self._name, self._bench.recipes),
            state=State.CANDIDATE,
            at=at,
            parent=parent.name,
            packages=self._packages_digest,
            versions=catalogue.versions_of(self._installed, self._recipe.versions),
        )

    def _make_image(self, candidate: Baked) -> None:
        spec = ImageSpec(
            name=self._image,
            instance=clearing.builder(self._name),
            properties=candidate.properties(),
        )
        self._cloud.ensure_image(spec, deadline_seconds=IMAGE_SECONDS)

    def _prove(
        self, flavor: str, data: str, listening: bake_listening.Listening
    ) -> None:
        self._boot(clearing.prover, self._image, flavor, data)
        listening.until("passed", clearing.prover(self._name), SMOKE_SECONDS)

    def _promote(self, candidate: Baked) -> None:
        told = candidate.model_copy(update={"state": State.CURRENT}).properties()
        self._cloud.describe_image(self._image, told, deadline_seconds=STEP_SECONDS)
        for gone in clearing.prune(self._workshop):
            self._bench.tell(f"deleted {gone}, which nobody uses")

    def _log_file(self, at: datetime) -> Path:
        folder = self._workshop.settings.log_dir / "bake"
        return folder / f"{self._image}-{at:%H%M%S}.log"
