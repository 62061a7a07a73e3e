"""
Which of the cloud's own services answer.

Keystone is asked whether our token is good, as every other service asks it for each request of ours; the others for one entry of a list.
An answer of any kind is an answer, a refusal too; silence, a closed port or a 5xx is none, and neither is one that takes too long. What
fails at once is asked once more: one broken connection takes no service away.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from fournines.cloud.errors import CloudError, CloudUnreachable, FeatureMissing
from fournines.cloud.openstack.base import Base

KEYSTONE_SECONDS_MAX = 2.0
"""It answers in milliseconds, and every other service waits for it."""

SECONDS_MAX = 5.0
"""Of the others."""

AT_ONCE_SECONDS = 1.0
"""What failed sooner is tried again; who waited longer has waited enough."""

_LISTS = {
    "nova": ("compute", "/servers"),
    "neutron": ("network", "/networks"),
    "octavia": ("load_balancer", "/lbaas/loadbalancers"),
    "glance": ("image", "/images"),
    "cinder": ("block_storage", "/volumes"),
}


class Answers(Base):
    """
    The part of the adapter that feels the pulse of the services.
    """

    def unanswered(self, services: Sequence[str]) -> tuple[str, ...]:
        asked = [partial(self._silent, name) for name in services]
        return tuple(name for name in self.connection.together(*asked) if name)

    def _silent(self, service: str) -> str:
        """
        The service's name when it does not answer; empty when it does, or is not offered here.
        """
        for last in (False, True):
            begin = time.monotonic()
            try:
                self._ask(service)
            except CloudUnreachable:
                if last or time.monotonic() - begin > AT_ONCE_SECONDS:
                    return service
            except CloudError:
                return ""
            else:
                return ""
        raise AssertionError("the last try returns")

    def _ask(self, service: str) -> None:
        attempted = f"asking {service} whether it answers"
        if service == "keystone":
            self.connection.token_is_good(attempted, timeout=KEYSTONE_SECONDS_MAX)
            return
        kind, path = _LISTS[service]
        if not self.connection.offers(kind):
            raise FeatureMissing(attempted, "it is not in the catalogue")
        self.connection.get(
            kind, path, attempted, params={"limit": 1}, timeout=SECONDS_MAX
        )
