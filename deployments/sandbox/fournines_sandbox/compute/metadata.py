"""
A change of a server's metadata, on its way to the guest.

A cloud's metadata service answers each question with what the API holds at that moment. Our guests read a seed instead, so the seed follows:
what is taken out of a server's metadata is gone from the guest's seed when the API answers. Nova tells its drivers nothing of it, hence the
two calls of its compute API.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from fournines_sandbox.compute.machine import Machine
from fournines_sandbox.site import Site

_CALLS = ("delete_instance_metadata", "update_instance_metadata")


def publish_changes(site: Site) -> None:
    """
    Have every change of metadata rewrite the guest's seed.
    """
    api = importlib.import_module("nova.compute.api").API
    for name in _CALLS:
        setattr(api, name, _followed(getattr(api, name), site))


def _followed(call: Callable[..., Any], site: Site) -> Callable[..., Any]:
    def followed(self: Any, context: Any, instance: Any, *given: Any, **named: Any) -> Any:
        result = call(self, context, instance, *given, **named)
        Machine(site, instance.uuid).tell(dict(instance.metadata or {}))
        return result

    return followed
