"""
One path for deploy, scale, reconcile and destroy: lease, look, plan, check, perform.

They differ in what should be and in what may be refused; the plan says the rest. What should be is written into the registry before the
first step, so that whoever comes after a crash goes on towards the same end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from blueprints import baked, diff, editions, removal
from fournines import log
from fournines.model.desired import Platform
from fournines.model.inventory import Inventory, Quota
from fournines.model.refusal import Refusal
from fournines.planning import gentle, linter
from fournines.planning.plan import Plan, Purpose
from healing.prediction import Prediction
from tasks import (
    adoption,
    asked_anew,
    bakery,
    contents,
    execution,
    foresight,
    giving_way,
    leasing,
    membership,
    objections,
    observe,
    patients,
    sizing,
    vaults,
)
from tasks.asked_anew import AskedAnew
from tasks.audience import NOBODY, Audience
from tasks.result import Result
from tasks.workshop import Workshop

_log = log.get("deployment")


def plan(
    workshop: Workshop,
    desired: Platform,
    *,
    only: str | None = None,
) -> tuple[Plan, tuple[Refusal, ...]]:
    """
    What would be done, and what stands in the way of it; touches nothing.

    Raises:
        CloudError: The cloud could not be read.
    """
    _, made, _, against = _look(workshop, desired, only)
    return made, against


def preview(
    workshop: Workshop, desired: Platform, *, only: str | None = None
) -> Result:
    """
    As `plan`, and tried on a copy of what is there: what a deploy would be refused for, or take.

    Raises:
        CloudError: The cloud could not be read.
    """
    seen, made, quota, against = _look(workshop, desired, only)
    predicted = None
    if not against:
        desired = baked.resolved(desired, seen.images)
        predicted, against = foresight.look_ahead(workshop, made, seen, desired, quota)
    refusals = (*made.refusals, *against)
    return Result(plan=made, refusals=refusals, prediction=predicted)


def obstacles(
    workshop: Workshop,
    desired: Platform,
    *,
    only: str | None = None,
    insist: bool = False,
) -> Result:
    """
    What a deploy would be refused for even when every image that is to be baked is there; touches nothing.

    Raises:
        CloudError: The cloud could not be read.
    """
    _, made, _, against = _look(workshop, desired, only, insist=insist, all_baked=True)
    stops = tuple(one for one in made.refusals if one.reason in objections.STOPPING)
    return Result(plan=made, refusals=(*stops, *against))


def _look(
    workshop: Workshop,
    desired: Platform,
    only: str | None,
    *,
    insist: bool = False,
    all_baked: bool = False,
) -> tuple[Inventory, Plan, Quota | None, tuple[Refusal, ...]]:
    sizing.check_known(desired, only)
    desired = _edition(workshop, desired)
    seen = observe.inventory(workshop, desired.name)
    if all_baked:
        seen = bakery.as_if_baked(desired, seen, only)
    desired = baked.resolved(desired, seen.images)
    made = _planned(workshop, desired, seen, only, Purpose.DEPLOY, insist=insist)
    quota = objections.room(workshop, made)
    against = objections.raised(workshop, desired, seen, made, only, quota)
    return seen, made, quota, against


def _planned(
    workshop: Workshop,
    desired: Platform,
    seen: Inventory,
    only: str | None,
    purpose: Purpose,
    *,
    held_back: frozenset[str] = frozenset(),
    insist: bool = False,
) -> Plan:
    """
    The plan, with what stateful services say of themselves; `held_back` are instances to leave alone besides those in healing.
    """
    return diff.plan_platform(
        desired,
        seen,
        only=only,
        purpose=purpose,
        drained=patients.drained(workshop, desired.name) | held_back,
        views=membership.views(workshop, desired, seen, only),
        contents=contents.read(workshop, desired, seen, only),
        # What the registry asks for was insisted on before it came there.
        insist=insist or purpose is Purpose.RECONCILE,
    )


def deploy(
    workshop: Workshop,
    desired: Platform,
    *,
    only: str | None = None,
    purpose: Purpose = Purpose.DEPLOY,
    audience: Audience = NOBODY,
    insist: bool = False,
    made_from: Platform | None = None,
) -> Result:
    """
    Bring a platform, or one service of it, to what is desired. It gives way to healing while a budget burns, unless somebody insists.

    `made_from` is what the registry said when `desired` was made from it. When it says something else once the leases are held, somebody was
    quicker, and nothing is done: what they asked for must not be taken back by whoever did not know of it.

    Raises:
        ServiceUnknown: The platform has no service `only`.
        LeaseHeld: Somebody else is at it; the message says who.
        AskedAnew: Somebody was.
        CloudError: The cloud could not be read. What fails in a step is in the result instead.
    """
    sizing.check_known(desired, only)
    desired = _edition(workshop, desired)
    services = [service.name for service in desired.services]
    what = f"{purpose} of {only or desired.name}"
    names = _leases(desired.name, services, only)
    with leasing.holding(workshop, names, purpose=what) as held:
        asked_anew.check(workshop, made_from, only)
        seen = _seen_alone(workshop, desired, only, held)
        if purpose is Purpose.DEPLOY:
            # A recipe's name means the image that is current now. The registry keeps which: no timer rolls to a newer one.
            desired = baked.resolved(desired, seen.images)
        adoption.adopt(workshop, seen, only)
        held_back = patients.given_up(workshop, desired.name, purpose)
        made = _planned(
            workshop, desired, seen, only, purpose, held_back=held_back, insist=insist
        )
        stops = objections.stop(made, purpose)
        predicted, against = foresight.foresee(
            workshop, desired, made, seen, only=only, insist=insist, stops=stops
        )
        if against or stops:
            # Checked before the first create: half a platform helps nobody.
            said = _refused(made, (*made.refusals, *against), predicted)
            rest = gentle.part(made, against)
            # The timer gives back what serves already, whatever keeps it from the rest.
            gives = purpose is Purpose.RECONCILE and not rest.empty
            return perform(workshop, rest, seen, held, audience) if gives else said
        _take_network(held, made)
        floors = diff.floors(desired)
        # Judged before it is asked for: what must not be done now must not be what everybody works towards either.
        linter.check(made, seen, floors)
        record_desired(workshop, desired, only)
        vaults.prepare(workshop, desired, made)
        performer = giving_way.between_steps(
            workshop, made, services, audience.performer, insist=insist
        )
        return perform(
            workshop,
            made,
            seen,
            held,
            replace(audience, performer=performer),
            floors=floors,
            predicted=predicted,
        )


def _take_network(held: leasing.Holding, made: Plan) -> None:
    """
    Who makes the network that all services share is alone at it.
    """
    if any(step.kind == "ensure-network" for step in made.steps):
        held.take_all([leasing.of_platform(made.platform)])


def _seen_alone(
    workshop: Workshop, desired: Platform, only: str | None, held: leasing.Holding
) -> Inventory:
    """
    What is there, once nobody else is at what a former service has left either: whoever destroys one holds its lease and no other.

    Raises:
        LeaseHeld: Somebody is.
    """
    seen = observe.inventory(workshop, desired.name)
    former = removal.former_services(desired, seen) if only is None else ()
    if not former:
        return seen
    held.take_all(leasing.of_service(desired.name, name) for name in former)
    return observe.inventory(workshop, desired.name)


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
        AskedAnew: Somebody was.
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
        made_from=known,
    )


def destroy(
    workshop: Workshop,
    platform: str,
    *,
    service: str | None = None,
    audience: Audience = NOBODY,
    finishing: Plan | None = None,
) -> Result:
    """
    Delete whatever carries the mark of a platform, or of one of its services, data included. `finishing`: only what this plan had begun and left
    open. Who has deployed it again since has closed that plan.

    Raises:
        LeaseHeld: Somebody else is at it.
        AskedAnew: The plan to finish is closed.
        CloudError: The cloud could not be read.
    """
    registry = workshop.store.registry
    known = registry.platform(platform)
    services = [s.name for s in known.services] if known else []
    what = f"{Purpose.DESTROY} of {service or platform}"
    names = _leases(platform, services, service)
    with leasing.holding(workshop, names, purpose=what) as held:
        left = {plan.id for plan in workshop.store.journal.unfinished()}
        if finishing is not None and finishing.id not in left:
            raise AskedAnew(f"{what} was ended by somebody else")
        seen = observe.inventory(workshop, platform)
        adoption.adopt(workshop, seen, service)
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
    predicted: Prediction | None = None,
) -> Result:
    """
    Check a plan's soundness, show it, and perform it under leases already held.

    `floors` are the serving members that each pool must keep; None where nothing is to be kept.
    """
    linter.check(made, seen, floors)
    audience.show(made, predicted)
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
    if predicted is not None:
        _log.info(
            "predicted_against_actual",
            plan=made.id,
            predicted_seconds=predicted.seconds,
            actual_seconds=round(outcome.seconds, 3),
            ok=outcome.ok,
        )
    return Result(
        plan=made, refusals=made.refusals, outcome=outcome, prediction=predicted
    )


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


def _edition(workshop: Workshop, desired: Platform) -> Platform:
    return editions.with_editions(
        desired, workshop.store.secrets.versions(desired.name)
    )


def _leases(platform: str, services: Iterable[str], only: str | None) -> list[str]:
    if only is not None:
        return [leasing.of_service(platform, only)]
    names = [leasing.of_service(platform, service) for service in services]
    return [leasing.of_platform(platform), *names]


def _refused(
    made: Plan, refusals: tuple[Refusal, ...], predicted: Prediction | None
) -> Result:
    for refusal in refusals:
        _log.warning(
            "refused",
            reason=refusal.reason,
            subject=refusal.subject,
            detail=refusal.detail,
        )
    return Result(plan=made, refusals=refusals, prediction=predicted)
