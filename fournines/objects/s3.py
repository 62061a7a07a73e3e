"""
The object store over S3's protocol: Swift with its S3 middleware, Ceph's gateway, or any S3. The only importer of minio.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import certifi
import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, S3Error
from minio.objectlockconfig import DAYS, ObjectLockConfig

from fournines.cloud.errors import (
    CloudError,
    CloudRefused,
    CloudUnreachable,
    CredentialsRefused,
    FeatureMissing,
    NameTaken,
    ResourceMissing,
    RightsMissing,
)
from fournines.concealment import concealed
from fournines.model.objects import ObjectEndpoint, ObjectKey, StoredObject

T = TypeVar("T")

CONNECT_SECONDS = 5.0
TIMEOUT_SECONDS = 30.0
TRIES = 3
_SAID_MAX = 300

_KINDS: dict[str, type[CloudError]] = {
    "NoSuchBucket": ResourceMissing,
    "NoSuchKey": ResourceMissing,
    "InvalidAccessKeyId": CredentialsRefused,
    "SignatureDoesNotMatch": CredentialsRefused,
    "AccessDenied": RightsMissing,
    "BucketAlreadyExists": NameTaken,
    "InternalError": CloudUnreachable,
    "ServiceUnavailable": CloudUnreachable,
    "SlowDown": CloudUnreachable,
}
_OURS_ALREADY = "BucketAlreadyOwnedByYou"
_NO_LOCK = frozenset(
    {
        "ObjectLockConfigurationNotFoundError",
        "NotImplemented",
        "InvalidRequest",
        "InvalidBucketState",
        "MethodNotAllowed",
    }
)
"""What stores without object lock say when they are asked for it."""


class S3Objects:
    """
    `ObjectStore` of one endpoint and one key.
    """

    def __init__(self, endpoint: ObjectEndpoint, key: ObjectKey) -> None:
        if not endpoint.is_encrypted:
            raise FeatureMissing(
                f"opening the object store {endpoint.url}",
                "it speaks no TLS, and no backup is sent in the clear",
            )
        # By name, for the TLS library takes files alone; read once, then gone.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(endpoint.ca or Path(certifi.where()).read_text())
            file.flush()
            context = urllib3.util.ssl_.create_urllib3_context()
            context.load_verify_locations(cafile=file.name)
        pool = urllib3.PoolManager(
            ssl_context=context,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=TIMEOUT_SECONDS),
            retries=urllib3.Retry(
                total=TRIES, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]
            ),
        )
        self._client = Minio(
            f"{endpoint.host}:{endpoint.port}",
            access_key=key.access,
            secret_key=key.secret.get_secret_value(),
            region=endpoint.region,
            http_client=pool,
        )

    def ensure_bucket(self, bucket: str, *, locked_days: int = 0) -> None:
        attempted = f"making bucket {bucket}"
        if self.has_bucket(bucket):
            return
        self._asked(
            attempted,
            lambda: self._client.make_bucket(bucket, object_lock=bool(locked_days)),
            passing=frozenset({_OURS_ALREADY}),
        )
        if locked_days:
            rule = ObjectLockConfig(COMPLIANCE, locked_days, DAYS)
            self._asked(
                attempted,
                lambda: self._client.set_object_lock_config(bucket, rule),
                passing=_NO_LOCK,
            )

    def has_bucket(self, bucket: str) -> bool:
        return bool(
            self._asked(
                f"looking for bucket {bucket}",
                lambda: self._client.bucket_exists(bucket),
            )
        )

    def locked_days(self, bucket: str) -> int:
        found = self._asked(
            f"asking how long {bucket} is locked",
            lambda: self._client.get_object_lock_config(bucket),
            passing=_NO_LOCK,
        )
        if found is None or not found.mode:
            return 0
        return int(found.duration or 0) * (1 if found.duration_unit == DAYS else 365)

    def objects(self, bucket: str, prefix: str = "") -> tuple[StoredObject, ...]:
        def listed() -> tuple[StoredObject, ...]:
            return tuple(
                StoredObject(
                    name=one.object_name,
                    size_bytes=one.size or 0,
                    at=one.last_modified,
                )
                for one in self._client.list_objects(bucket, prefix, recursive=True)
            )

        return self._asked(f"listing {bucket}/{prefix}", listed) or ()

    def folders(self, bucket: str, prefix: str = "") -> tuple[str, ...]:
        def listed() -> tuple[str, ...]:
            found = self._client.list_objects(bucket, prefix)
            return tuple(sorted(str(one.object_name) for one in found if one.is_dir))

        return self._asked(f"listing {bucket}/{prefix}", listed) or ()

    def read(self, bucket: str, name: str) -> bytes:
        def content() -> bytes:
            answer = self._client.get_object(bucket, name)
            try:
                return bytes(answer.read())
            finally:
                answer.close()
                answer.release_conn()

        return self._asked(f"reading {bucket}/{name}", content) or b""

    def write(self, bucket: str, name: str, content: bytes) -> None:
        self._asked(
            f"writing {bucket}/{name}",
            lambda: self._client.put_object(
                bucket, name, BytesIO(content), len(content)
            ),
        )

    def delete_bucket(self, bucket: str) -> None:
        attempted = f"deleting bucket {bucket}"
        if not self.has_bucket(bucket):
            return
        names = [DeleteObject(one.name) for one in self.objects(bucket)]
        for error in self._client.remove_objects(bucket, names):
            raise CloudRefused(attempted, f"{error.name}: {error.message}")
        self._asked(
            attempted,
            lambda: self._client.remove_bucket(bucket),
            passing=frozenset({"NoSuchBucket"}),
        )

    def _asked(
        self,
        attempted: str,
        act: Callable[[], T],
        *,
        passing: frozenset[str] = frozenset(),
    ) -> T | None:
        """
        What the store answers; None where it says one of `passing`.
        """
        try:
            return act()
        except S3Error as error:
            if error.code in passing:
                return None
            kind = _KINDS.get(str(error.code), CloudRefused)
            raise kind(attempted, _said(f"{error.code}: {error.message}")) from error
        except (urllib3.exceptions.HTTPError, InvalidResponseError, OSError) as error:
            raise CloudUnreachable(attempted, _said(str(error))) from error


def _said(text: str) -> str:
    return concealed(" ".join(text.split()))[:_SAID_MAX]
