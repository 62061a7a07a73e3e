"""
The registry in memory.
"""

from __future__ import annotations

from datetime import datetime
from threading import RLock

from fournines.model.desired import Platform, Service
from fournines.store.protocol import StoreError


class MemoryRegistry:
    """
    `Registry` in memory.
    """

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._platforms: dict[str, Platform] = {}
        self._resources: dict[tuple[str, str, str], str] = {}

    def put_platform(self, platform: Platform, *, at: datetime) -> None:  # noqa: ARG002  nobody reads it back
        with self._lock:
            self._platforms[platform.name] = platform

    def platform(self, name: str) -> Platform | None:
        with self._lock:
            return self._platforms.get(name)

    def platforms(self) -> tuple[Platform, ...]:
        with self._lock:
            return tuple(found for _, found in sorted(self._platforms.items()))

    def put_service(self, service: Service, *, at: datetime) -> None:  # noqa: ARG002  as above
        with self._lock:
            known = self._platforms[service.platform]
            names = [one.name for one in known.services]
            services = list(known.services)
            if service.name in names:
                services[names.index(service.name)] = service
            else:
                services.append(service)
            self._replace(known, tuple(services))

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
