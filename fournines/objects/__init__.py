"""
The door of the object store: buckets and objects, in S3's words. The real one is `s3`, the one in memory is held to the same contract.

Raises the errors of `fournines.cloud.errors`: CloudUnreachable, CredentialsRefused, RightsMissing, CloudRefused, ResourceMissing.
"""

from __future__ import annotations

from typing import Protocol

from fournines.model.objects import StoredObject


class ObjectStore(Protocol):
    """
    One store as one key's owner sees it. Thread-safe.
    """

    def ensure_bucket(self, bucket: str, *, locked_days: int = 0) -> None:
        """
        Have a bucket. With `locked_days` a new one keeps every object unchanged for so long, where the store can; `locked_days` tells whether
        it does.

        Raises:
            NameTaken: It belongs to somebody else.
        """
        ...

    def has_bucket(self, bucket: str) -> bool:
        """
        Whether it is there, and ours.
        """
        ...

    def locked_days(self, bucket: str) -> int:
        """
        For how many days the store itself keeps every object from being changed or deleted; 0: it does not.
        """
        ...

    def objects(self, bucket: str, prefix: str = "") -> tuple[StoredObject, ...]:
        """
        All objects whose name begins so, by name.
        """
        ...

    def folders(self, bucket: str, prefix: str = "") -> tuple[str, ...]:
        """
        The names up to the next "/" behind the prefix, with it, by name.
        """
        ...

    def read(self, bucket: str, name: str) -> bytes:
        """
        An object's content. Raises ResourceMissing.
        """
        ...

    def write(self, bucket: str, name: str, content: bytes) -> None:
        """
        Put an object there, in place of one of that name.
        """
        ...

    def delete_bucket(self, bucket: str) -> None:
        """
        A bucket with all it holds; one that is not there is no error.
        """
        ...
