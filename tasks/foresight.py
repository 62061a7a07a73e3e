"""
Looking ahead before a deployment acts: its plan rehearsed on a copy of what is there, and refused when that breaks a law.
"""

from __future__ import annotations

from blueprints import diff
from fournines import log
from fournines.model.desired import Platform
from fournines.model.inventory import Inventory, Quota
from fournines.model.refusal import Refusal
from fournines.planning.plan import Plan
from healing import prediction, rehearsal
from healing.prediction import Prediction
from tasks import giving_way, objections
from tasks import rehearsal as stage
from tasks.workshop import Workshop

_log = log.get("foresight")


def foresee(
    workshop: Workshop,
    desired: Platform,
    made: Plan,
    seen: Inventory,
    *,
    only: str | None,
    insist: bool,
    stops: bool,
) -> tuple[Prediction | None, tuple[Refusal, ...]]:
    """
    What a plan will take, and all that is against it; a plan that is not performed anyway is not rehearsed.
    """
    services = [service.name for service in desired.services]
    quota = objections.room(workshop, made)
    against = (
        *objections.raised(workshop, desired, seen, made, only, quota),
        *giving_way.objections(workshop, made, services, insist=insist),
    )
    if against or stops:
        return None, against
    return look_ahead(workshop, made, seen, desired, quota)


def look_ahead(
    workshop: Workshop,
    made: Plan,
    seen: Inventory,
    desired: Platform,
    quota: Quota | None,
) -> tuple[Prediction | None, tuple[Refusal, ...]]:
    """
    What a plan will take, and the law it breaks. Nothing for a plan that is empty.

    A plan that is too large is predicted by what such steps take, and says so; the linter checks its shape all the same.
    """
    if made.empty:
        return None, ()
    sizes = (group.count for service in desired.services for group in service.groups)
    known = workshop.store.journal.step_seconds()
    too_large = prediction.is_too_large(made, max(sizes, default=0))
    if too_large:
        said = prediction.without_rehearsal(made, too_large, known)
        _log.info("not_rehearsed", plan=made.id, why=too_large)
        return said, ()
    tried = stage.rehearse(
        made,
        seen,
        desired.services,
        settings=workshop.settings,
        quota=quota,
    )
    broken = rehearsal.judge(
        tried, diff.floors(desired), subject=made.service or made.platform
    )
    said = prediction.of(tried, made, known)
    _log.info(
        "rehearsed",
        plan=made.id,
        predicted_seconds=said.seconds,
        predicted_budget_seconds=said.budget_seconds,
        broken=broken.detail if broken else "",
    )
    return said, (broken,) if broken else ()
