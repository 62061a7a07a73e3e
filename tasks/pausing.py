"""
Pausing the healing of a place, as people name it: `shop`, `shop/web`, `demo-shop-web-2`, `demo-shop-web-2-g3`.
"""

from __future__ import annotations

import re

from blueprints.problem import did_you_mean
from fournines.model import names
from fournines.model.case import Subject
from fournines.store.protocol import Registry
from tasks import sizing
from tasks.sizing import ServiceUnknown

_GENERATION = re.compile(r"-g\d+$")


def subject(registry: Registry, text: str, platform: str | None = None) -> Subject:
    """
    The place that a text names among what is deployed.

    Raises:
        ServiceUnknown: Nothing deployed is called so, or several are.
    """
    slots = _slots(registry, platform)
    found = slots.get(_GENERATION.sub("", text))
    if found is not None:
        instance = text if _GENERATION.search(text) else None
        return found.model_copy(update={"instance": instance})
    service, _, group = text.partition("/")
    try:
        known = sizing.find(registry, service, platform)
    except ServiceUnknown as error:
        if "-" not in text:
            raise
        raise ServiceUnknown(
            f"nothing deployed is called {text!r}{did_you_mean(text, slots)}"
        ) from error
    there = [one.name for one in known.service(service).groups]
    if group and group not in there:
        raise ServiceUnknown(
            f"service {service} has no group {group!r}{did_you_mean(group, there)}"
        )
    return Subject(platform=known.name, service=service, group=group or None)


def _slots(registry: Registry, platform: str | None) -> dict[str, Subject]:
    """
    Every slot that is asked for, by its name.
    """
    return {
        names.slot(one.name, service.name, group.name, slot): Subject(
            platform=one.name, service=service.name, group=group.name, slot=slot
        )
        for one in registry.platforms()
        if platform in {None, one.name}
        for service in one.services
        for group in service.groups
        for slot in range(group.count)
    }
