"""
The contract of the object store, held by the one in memory and by the embedded cloud's Swift over S3.
"""

from __future__ import annotations

import uuid

import pytest
from pydantic import SecretStr

from fournines.cloud.errors import (
    CredentialsRefused,
    FeatureMissing,
    ResourceMissing,
    RightsMissing,
)
from fournines.cloud.simulated import SimulatedCloud
from fournines.model.objects import ObjectEndpoint, ObjectKey
from fournines.objects.memory import MemoryObjects
from fournines.objects.s3 import S3Objects
from fournines.trust.passwords import new_secret

SECONDS = 60


@pytest.fixture(scope="module")
def key(rig):
    """
    A key that the store knows; it does so no more afterwards.
    """
    made = ObjectKey(access=new_secret(), secret=SecretStr(new_secret()))
    rig.cloud.ensure_object_key(made, deadline_seconds=SECONDS)
    yield made
    rig.cloud.delete_object_key(made.access, deadline_seconds=SECONDS)


@pytest.fixture(scope="module")
def store(rig, key):
    """
    The store of a cloud.
    """
    endpoint = rig.cloud.object_endpoint()
    if isinstance(rig.cloud, SimulatedCloud):
        return MemoryObjects(rig.cloud.clock).open(endpoint, key)
    return S3Objects(endpoint, key)


@pytest.fixture
def bucket(store):
    """
    A bucket, gone afterwards with all it holds.
    """
    name = f"contract-{uuid.uuid4().hex[:12]}"
    store.ensure_bucket(name)
    yield name
    store.delete_bucket(name)
    assert not store.has_bucket(name)


def test_a_key_is_made_once_and_its_end_is_no_error(rig, key):
    """
    Whoever died between two calls says the same again.
    """
    rig.cloud.ensure_object_key(key, deadline_seconds=SECONDS)
    rig.cloud.delete_object_key("nobody-has-it", deadline_seconds=SECONDS)


def test_objects_are_kept_listed_and_replaced(store, bucket):
    """
    What was written is read to the byte; names come in order, folders with their slash.
    """
    for name in ("a/2", "a/1", "b/c/3"):
        store.write(bucket, name, name.encode() * 1000)
    store.write(bucket, "a/1", b"other")

    assert store.read(bucket, "a/1") == b"other"
    assert [one.name for one in store.objects(bucket, "a/")] == ["a/1", "a/2"]
    assert [one.size_bytes for one in store.objects(bucket, "a/2")] == [3000]
    assert store.folders(bucket) == ("a/", "b/")
    assert store.folders(bucket, "b/") == ("b/c/",)
    assert store.objects(bucket, "z") == ()


def test_what_is_not_there_is_said(store, bucket):
    """
    A missing object and a missing bucket are the same kind of trouble, and deleting either twice is none.
    """
    with pytest.raises(ResourceMissing):
        store.read(bucket, "nothing")
    with pytest.raises(ResourceMissing):
        store.objects("contract-nowhere")
    store.delete_bucket("contract-nowhere")


def test_a_bucket_is_made_once_and_says_whether_it_is_locked(store, bucket):
    """
    A lock that the store does not offer is not claimed.
    """
    store.ensure_bucket(bucket, locked_days=3)

    assert store.has_bucket(bucket)
    assert store.locked_days(bucket) == 0


def test_a_store_that_can_lock_keeps_what_a_new_bucket_asks_for(rig):
    """
    In memory alone: the embedded cloud's store has no object lock.
    """
    store = MemoryObjects(rig.clock if hasattr(rig, "clock") else None, can_lock=True)
    store.ensure_bucket("locked", locked_days=30)

    assert store.locked_days("locked") == 30


@pytest.mark.sandbox
def test_a_wrong_key_is_refused(rig, key, bucket):
    """
    By the real store; the one in memory knows no strangers.
    """
    if isinstance(rig.cloud, SimulatedCloud):
        pytest.skip("the store in memory takes every key")
    wrong = ObjectKey(access=key.access, secret=SecretStr("0" * 32))
    with pytest.raises((CredentialsRefused, RightsMissing)):
        S3Objects(rig.cloud.object_endpoint(), wrong).read(bucket, "a")


def test_nothing_is_sent_in_the_clear(key):
    """
    A store without TLS is refused before anything is sent.
    """
    with pytest.raises(FeatureMissing, match="no backup is sent in the clear"):
        S3Objects(ObjectEndpoint(url="http://objects.test", region="r"), key)
