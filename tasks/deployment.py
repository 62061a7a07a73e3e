"""
One path for deploy, scale, reconcile and destroy: lease, look, plan, check, perform.

They differ in what should be and in what may be refused; the plan says the rest. What should be is written into the registry before the
first step, so that whoever comes after a crash goes on towards the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from blueprints import diff, preflight, quarantined
from fournines import log
from fournines.model.case import CaseState
from fournines.model.desired import Platform
from fournines.model.inventory import Inventory
from fournines.model.refusal import Reason, Refusal
from fournines.model.value import Value
from fournines.planning import gentle, linter
from fournines.planning.plan import Plan, Purpose
from tasks import execution, giving_way, leasing, observe, registering, sizing
from tasks.execution import Outcome, Performer, Progress
from tasks.workshop import Workshop

HOLD_SECONDS = 180.0
"""How long the reconcile leaves alone what healing has given up; until then a person has been called."""

_log = log.get("deployment")


class Result(Value):
    """
    What a deployment came to.

    Attributes:
        refusals: Why nothing, or not everything, was done.
        outcome: None when nothing was performed.
    """

    plan: Plan
    refusals: tuple[Refusal, ...] = ()
    outcome: Outcome | None = None

    @property
    def ok(self) -> bool:
        """
        All that was asked for is done.
        """
        return not self.refusals and (self.outcome is None or self.outcome.ok)

    def sentence(self) -> str:
        """
        The result for people, and the next step.
        """
        said = [refusal.detail for refusal in self.refusals]
        if self.outcome is not None:
            said.insert(0, self.outcome.sentence())
        elif not said:
            said = ["nothing to do: what is, is what should be"]
        return "; ".join(said)


class NotDone(Exception):
    """
    Not all that was asked for is done; a flow run that ends so must not look completed.

    Attributes:
        result: What was refused, what failed, what is done.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(result.sentence())
        self.result = result


class NotConfirmed(Exception):
    """
    Destroying was asked for without a second word.
    """

    exit_code = 2


def _show_nobody(_plan: Plan) -> None:
    """
    The plan is not shown.
    """


@dataclass(frozen=True, slots=True)
class Audience:
    """
    Who sees the plan before it is performed, who runs its steps, and who watches.
    """

    show: Callable[[Plan], None] = field(default=_show_nobody)
    performer: Performer = field(default=execution.at_once)
    watch: Callable[[Progress], None] = field(default=execution.ignore_progress)


NOBODY = Audience()


def plan(
    workshop: Workshop, desired: Platform, *, only: str | None = None
) -> tuple[Plan, tuple[Refusal, ...]]:
    """
    What would be done, and what stands in the way of it; touches nothing.

    Raises:
        CloudError: The cloud could not be read.
    """
    sizing.check_known(desired, only)
    seen = observe.inventory(workshop, desired.name)
    drained = _drained(workshop, desired.name)
    made = diff.plan_platform(desired, seen, only=only, drained=drained)
    return made, _objections(workshop, desired, seen, made, only)


def deploy(
    workshop: Workshop,
    desired: Platform,
    *,
    only: str | None = None,
    purpose: Purpose = Purpose.DEPLOY,
    audience: Audience = NOBODY,
    insist: bool = False,
) -> Result:
    """
    Bring a platform, or one service of it, to what is desired. It gives way to healing while a budget burns, unless somebody insists.

    Raises:
        ServiceUnknown: The platform has no service `only`.
        LeaseHeld: Somebody else is at it; the message says who.
        CloudError: The cloud could not be read. What fails in a step is in the result instead.
    """
    sizing.check_known(desired, only)
    services = [service.name for service in desired.services]
    what = f"{purpose} of {only or desired.name}"
    names = _leases(desired.name, services, only)
    with leasing.holding(workshop, names, purpose=what) as held:
        seen = observe.inventory(workshop, desired.name)
        adopt(workshop, seen, only)
        made = diff.plan_platform(
            desired,
            seen,
            only=only,
            purpose=purpose,
            drained=_drained(workshop, desired.name)
            | _given_up(workshop, desired.name, purpose),
        )
        objections = (
            *_objections(workshop, desired, seen, made, only),
            *giving_way.objections(workshop, made, services, insist=insist),
        )
        taken = any(r.reason is Reason.NAME_TAKEN for r in made.refusals)
        if objections or taken:
            # Checked before the first create: half a platform helps nobody.
            said = _refused(made, (*made.refusals, *objections))
            rest = gentle.part(made, objections)
            if purpose is not Purpose.RECONCILE or rest.empty:
                return said
            # The timer gives back what serves already, whatever keeps it from the rest.
            return perform(workshop, rest, seen, held, audience)
        if any(step.kind == "ensure-network" for step in made.steps):
            held.take_all([leasing.of_platform(desired.name)])
        record_desired(workshop, desired, only)
        floors = diff.floors(desired)
        performer = giving_way.between_steps(
            workshop, made, services, audience.performer, insist=insist
        )
        watched = replace(audience, performer=performer)
        return perform(workshop, made, seen, held, watched, floors=floors)


def scale(
    workshop: Workshop,
    service: str,
    count: int,
    *,
    platform: str | None = None,
    group: str | None = None,
    audience: Audience = NOBODY,
    insist: bool = False,
) -> Result:
    """
    Give a group of a deployed service another size; the platform file's count holds again at its next deploy.

    Raises:
        ServiceUnknown: No such service is deployed, or its group is not clear.
        LeaseHeld: Somebody else is at it.
        CloudError: The cloud could not be read.
    """
    known = sizing.find(workshop.store.registry, service, platform)
    desired = sizing.resized(known, service, count, group)
    return deploy(
        workshop,
        desired,
        only=service,
        purpose=Purpose.SCALE,
        audience=audience,
        insist=insist,
    )


def destroy(
    workshop: Workshop,
    platform: str,
    *,
    service: str | None = None,
    audience: Audience = NOBODY,
) -> Result:
    """
    Delete whatever carries the mark of a platform, or of one of its services, data included.

    Raises:
        LeaseHeld: Somebody else is at it.
        CloudError: The cloud could not be read.
    """
    registry = workshop.store.registry
    known = registry.platform(platform)
    services = [s.name for s in known.services] if known else []
    what = f"{Purpose.DESTROY} of {service or platform}"
    names = _leases(platform, services, service)
    with leasing.holding(workshop, names, purpose=what) as held:
        seen = observe.inventory(workshop, platform)
        adopt(workshop, seen, service)
        made = diff.plan_destroy(platform, seen, service=service)
        # First it is wanted no more: whoever comes after a crash must not build it again.
        if service:
            registry.remove_service(platform, service)
        else:
            registry.remove_platform(platform)
        return perform(workshop, made, seen, held, audience)


def perform(
    workshop: Workshop,
    made: Plan,
    seen: Inventory,
    held: leasing.Holding,
    audience: Audience,
    *,
    floors: Mapping[str, int] | None = None,
) -> Result:
    """
    Check a plan's soundness, show it, and perform it under leases already held.

    `floors` are the serving members that each pool must keep; None where nothing is to be kept.
    """
    linter.check(made, seen, floors)
    audience.show(made)
    if made.empty:
        return Result(plan=made, refusals=made.refusals)
    outcome = execution.execute(
        made,
        workshop,
        holder=held.holder,
        guard=held.check,
        rights=held.rights,
        performer=audience.performer,
        watch=audience.watch,
    )
    return Result(plan=made, refusals=made.refusals, outcome=outcome)


def adopt(workshop: Workshop, seen: Inventory, only: str | None) -> None:
    """
    Take over from dead workers: we hold their leases, so their journals are closed and what they left is planned from.

    Healing's plans are left to the healer, who takes up its open cases itself.
    """
    registering.take_stock(workshop, seen, only)
    journal, platform = workshop.store.journal, seen.platform
    for left in journal.unfinished():
        ours = left.platform == platform and (only is None or left.service == only)
        if ours and left.purpose is not Purpose.HEAL:
            journal.close_plan(
                left.id,
                outcome="its worker died; what it left was planned anew",
                at=workshop.clock.now(),
            )
            _log.warning("plan_adopted", plan=left.id, service=left.service)


def record_desired(workshop: Workshop, desired: Platform, only: str | None) -> None:
    """
    Write what should be into the registry: all of it, or one service without disturbing its neighbours.
    """
    registry, now = workshop.store.registry, workshop.clock.now()
    if only is None:
        registry.put_platform(desired, at=now)
        return
    if registry.platform(desired.name) is None:
        registry.put_platform(desired.model_copy(update={"services": ()}), at=now)
    registry.put_service(desired.service(only), at=now)


def _leases(platform: str, services: Iterable[str], only: str | None) -> list[str]:
    if only is not None:
        return [leasing.of_service(platform, only)]
    names = [leasing.of_service(platform, service) for service in services]
    return [leasing.of_platform(platform), *names]


def _drained(workshop: Workshop, platform: str) -> frozenset[str]:
    return frozenset(
        case.subject.instance
        for case in workshop.store.cases.cases(open_only=True)
        if case.subject.platform == platform and case.subject.instance
    )


def _given_up(workshop: Workshop, platform: str, purpose: Purpose) -> frozenset[str]:
    """
    Sick members that healing has just given up: the timer must not give them users again. A person's deploy may.
    """
    if purpose is not Purpose.RECONCILE:
        return frozenset()
    since = workshop.clock.now() - timedelta(seconds=HOLD_SECONDS)
    return frozenset(
        case.subject.instance
        for case in workshop.store.cases.cases(since=since, limit=1_000)
        if case.state in {CaseState.PAGED, CaseState.REFUSED}
        and case.subject.platform == platform
        and case.subject.instance
    )


def _objections(
    workshop: Workshop,
    desired: Platform,
    seen: Inventory,
    made: Plan,
    only: str | None,
) -> tuple[Refusal, ...]:
    if not any(step.kind.startswith("ensure-") for step in made.steps):
        return ()
    wanted = (
        desired.model_copy(update={"services": (desired.service(only),)})
        if only
        else desired
    )
    held = quarantined.check(made, seen, workshop.store.quarantines.all())
    return (*preflight.check(wanted, seen, observe.quota(workshop)), *held)


def _refused(made: Plan, refusals: tuple[Refusal, ...]) -> Result:
    for refusal in refusals:
        _log.warning(
            "refused",
            reason=refusal.reason,
            subject=refusal.subject,
            detail=refusal.detail,
        )
    return Result(plan=made, refusals=refusals)
