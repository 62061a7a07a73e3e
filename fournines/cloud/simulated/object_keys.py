"""
The object store of the simulated cloud: where it would be, and who may use it.
"""

from __future__ import annotations

from fournines.cloud.errors import FeatureMissing
from fournines.cloud.simulated.door import Door, Moment
from fournines.model.objects import ObjectEndpoint, ObjectKey


class ObjectKeys(Door):
    """
    The part of the cloud that hands out keys for objects.
    """

    def object_endpoint(self) -> ObjectEndpoint:
        def act(_moment: Moment) -> ObjectEndpoint:
            if not self.scenario.objects:
                raise FeatureMissing(
                    "finding the object store",
                    "the cloud's catalogue has no S3",
                    "Name one with FOURNINES_OBJECTS_URL (https://...)",
                )
            return ObjectEndpoint(url="https://objects.simulated:443", region="sim")

        return self.call("object_endpoint", "", act)

    def ensure_object_key(self, key: ObjectKey, *, deadline_seconds: float) -> None:
        assert deadline_seconds > 0

        def act(_moment: Moment) -> None:
            self.world.object_keys.add(key.access)

        self.call("ensure_object_key", key.access, act)

    def delete_object_key(self, access: str, *, deadline_seconds: float) -> None:
        assert deadline_seconds > 0

        def act(_moment: Moment) -> None:
            self.world.object_keys.discard(access)

        self.call("delete_object_key", access, act)
