"""
The object store of a cloud: where it speaks S3, and Keystone's keys for it.

A key is chosen by whoever asks, and named by Keystone after it: made twice it is one, and nobody has to remember an answer.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from fournines.cloud.errors import FeatureMissing
from fournines.cloud.openstack.base import Base, until
from fournines.model.objects import ObjectEndpoint, ObjectKey

_TYPES = ("s3", "object-store")
"""As catalogues call it; behind Swift's own entry S3 is spoken at the root."""


class ObjectKeys(Base):
    """
    The part of the adapter that knows the object store.
    """

    def object_endpoint(self) -> ObjectEndpoint:
        attempted = "finding the object store"
        given = self.settings.objects_url
        url = given or self.connection.endpoint(_TYPES, attempted)
        if not url:
            raise FeatureMissing(
                attempted,
                "the cloud's catalogue has no S3",
                "Name one with FOURNINES_OBJECTS_URL (https://...)",
            )
        file = self.settings.objects_ca_file or self.connection.ca_file
        return ObjectEndpoint(
            url=url,
            region=self.settings.objects_region or self.connection.region,
            ca=Path(file).read_text() if file else "",
        )

    def ensure_object_key(self, key: ObjectKey, *, deadline_seconds: float) -> None:
        attempted = "making a key for the object store"

        def unit() -> None:
            if self._is_known(key.access, attempted):
                return
            blob = {"access": key.access, "secret": key.secret.get_secret_value()}
            body = {
                "credential": {
                    "type": "ec2",
                    "user_id": self.connection.access.user_id,
                    "project_id": self.connection.project_id,
                    "blob": json.dumps(blob),
                }
            }
            self.connection.send(
                "POST", "identity", "/credentials", attempted, body=body
            )

        self.retried(unit, until=until(deadline_seconds))

    def delete_object_key(self, access: str, *, deadline_seconds: float) -> None:
        attempted = "deleting a key of the object store"

        def unit() -> None:
            if self._is_known(access, attempted):
                name = hashlib.sha256(access.encode()).hexdigest()
                path = f"/credentials/{name}"
                self.connection.send("DELETE", "identity", path, attempted)

        self.retried(unit, until=until(deadline_seconds))

    def _is_known(self, access: str, attempted: str) -> bool:
        """
        By the user's list: of a single key that is not there Keystone says that we may not see it.
        """
        path = f"/users/{self.connection.access.user_id}/credentials/OS-EC2"
        listed = self.connection.get("identity", path, attempted)
        return access in {one["access"] for one in listed["credentials"]}
