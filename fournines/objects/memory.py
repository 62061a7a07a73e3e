"""
An object store in memory: what tests and rehearsals keep their backups in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock

from fournines.clock import Clock
from fournines.cloud.errors import CloudUnreachable, ResourceMissing
from fournines.model.objects import ObjectEndpoint, ObjectKey, StoredObject


@dataclass(slots=True)
class _Bucket:
    locked_days: int
    objects: dict[str, tuple[bytes, StoredObject]] = field(default_factory=dict)


class MemoryObjects:
    """
    `ObjectStore` in memory; every key sees the same. Thread-safe.

    Attributes:
        away: While it is, no call is answered.
        can_lock: Whether buckets may be locked.
    """

    def __init__(self, clock: Clock, *, can_lock: bool = False) -> None:
        self._clock = clock
        self._lock = RLock()
        self._buckets: dict[str, _Bucket] = {}
        self.away = False
        self.can_lock = can_lock

    def open(self, endpoint: ObjectEndpoint, key: ObjectKey) -> MemoryObjects:
        """
        As a workshop opens it.
        """
        assert endpoint.url
        assert key.access
        return self

    def ensure_bucket(self, bucket: str, *, locked_days: int = 0) -> None:
        with self._lock:
            self._ask(f"making bucket {bucket}")
            days = locked_days if self.can_lock else 0
            self._buckets.setdefault(bucket, _Bucket(days))

    def has_bucket(self, bucket: str) -> bool:
        with self._lock:
            self._ask(f"looking for bucket {bucket}")
            return bucket in self._buckets

    def locked_days(self, bucket: str) -> int:
        with self._lock:
            return self._bucket(bucket).locked_days

    def objects(self, bucket: str, prefix: str = "") -> tuple[StoredObject, ...]:
        with self._lock:
            found = self._bucket(bucket).objects
            return tuple(
                found[name][1] for name in sorted(found) if name.startswith(prefix)
            )

    def folders(self, bucket: str, prefix: str = "") -> tuple[str, ...]:
        found = {
            f"{prefix}{rest.partition('/')[0]}/"
            for one in self.objects(bucket, prefix)
            if "/" in (rest := one.name.removeprefix(prefix))
        }
        return tuple(sorted(found))

    def read(self, bucket: str, name: str) -> bytes:
        with self._lock:
            found = self._bucket(bucket).objects.get(name)
            if found is None:
                raise ResourceMissing(f"reading {name}", f"{bucket} has no such object")
            return found[0]

    def write(self, bucket: str, name: str, content: bytes) -> None:
        with self._lock:
            made = StoredObject(
                name=name, size_bytes=len(content), at=self._clock.now()
            )
            self._bucket(bucket).objects[name] = (content, made)

    def delete_bucket(self, bucket: str) -> None:
        with self._lock:
            self._ask(f"deleting bucket {bucket}")
            self._buckets.pop(bucket, None)

    def _bucket(self, bucket: str) -> _Bucket:
        self._ask(f"reading bucket {bucket}")
        found = self._buckets.get(bucket)
        if found is None:
            raise ResourceMissing(f"reading bucket {bucket}", "there is none")
        return found

    def _ask(self, attempted: str) -> None:
        if self.away:
            raise CloudUnreachable(attempted, "the object store does not answer")
