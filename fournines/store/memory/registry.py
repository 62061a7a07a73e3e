"""
The registry in memory.
"""

from __future__ import annotations

from datetime import datetime
from threading import RLock

from fournines.model.desired import Platform, Service
from fournines.store.protocol import PAST_MAX, PastService, StoreError


class MemoryRegistry:
    """
    `Registry` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._platforms: dict[str, Platform] = {}
        self._past: dict[tuple[str, str], list[PastService]] = {}
        self._resources: dict[tuple[str, str, str], str] = {}

    def put_platform(self, platform: Platform, *, at: datetime) -> None:
        with self._lock:
            for service in platform.services:
                self._keep_past(service, at)
            self._platforms[platform.name] = platform

    def platform(self, name: str) -> Platform | None:
        with self._lock:
            return self._platforms.get(name)

    def platforms(self) -> tuple[Platform, ...]:
        with self._lock:
            return tuple(found for _, found in sorted(self._platforms.items()))

    def put_service(self, service: Service, *, at: datetime) -> None:
        with self._lock:
            self._keep_past(service, at)
            known = self._platforms[service.platform]
            names = [one.name for one in known.services]
            services = list(known.services)
            if service.name in names:
                services[names.index(service.name)] = service
            else:
                services.append(service)
            self._replace(known, tuple(services))

    def _keep_past(self, service: Service, at: datetime) -> None:
        known = self._platforms.get(service.platform)
        for before in known.services if known else ():
            if before.name == service.name and before != service:
                past = self._past.setdefault((service.platform, service.name), [])
                past.insert(0, PastService(service=before, until=at))
                del past[PAST_MAX:]

    def past(self, platform: str, service: str) -> tuple[PastService, ...]:
        with self._lock:
            return tuple(self._past.get((platform, service), ()))

    def remove_service(self, platform: str, service: str) -> None:
        with self._lock:
            known = self._platforms.get(platform)
            if known is not None:
                left = tuple(one for one in known.services if one.name != service)
                self._replace(known, left)

    def _replace(self, known: Platform, services: tuple[Service, ...]) -> None:
        changed = known.model_copy(update={"services": services})
        self._platforms[known.name] = changed

    def remove_platform(self, name: str) -> None:
        with self._lock:
            self._platforms.pop(name, None)

    def record_resource(
        self, platform: str, kind: str, name: str, cloud_id: str, *, at: datetime
    ) -> None:
        if at.tzinfo is None:
            raise StoreError(f"recording {kind} {name}: a moment needs its zone: {at}")
        with self._lock:
            self._resources[platform, kind, name] = cloud_id

    def forget_resource(self, platform: str, kind: str, name: str) -> None:
        with self._lock:
            self._resources.pop((platform, kind, name), None)

    def resources(self, platform: str) -> tuple[tuple[str, str, str], ...]:
        with self._lock:
            return tuple(
                (kind, name, cloud_id)
                for (where, kind, name), cloud_id in sorted(self._resources.items())
                if where == platform
            )
