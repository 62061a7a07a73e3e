"""
The embedded cloud's object store: Swift's own API, S3's, and who may see what.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from keystoneauth1.identity import v3

pytestmark = pytest.mark.sandbox

CONTENT = b"kept" * 50_000


@pytest.fixture
def container(member: Any) -> Iterator[str]:
    """
    An empty container, gone afterwards with all that is in it.
    """
    name = "test-objects"
    member.object_store.create_container(name)
    yield name
    for found in member.object_store.objects(name):
        member.object_store.delete_object(found, container=name)
    member.object_store.delete_container(name, ignore_missing=True)


@pytest.fixture
def keys(member: Any) -> Iterator[tuple[str, str]]:
    """
    An S3 key of the project's user, taken back afterwards.
    """
    path = f"/users/{member.current_user_id}/credentials/OS-EC2"
    made = member.identity.post(
        path, json={"tenant_id": member.current_project_id}
    ).json()["credential"]
    yield made["access"], made["secret"]
    member.identity.delete(f"{path}/{made['access']}")


@pytest.fixture
def stranger(admin: Any) -> Iterator[str]:
    """
    The token of a user with the role `member` in a project of its own; both are gone afterwards.
    """
    identity = admin.identity
    name, password = f"objects-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    project = identity.create_project(name=name, domain_id="default")
    user = identity.create_user(name=name, password=password)
    try:
        role = identity.find_role("member")
        identity.assign_project_role_to_user(project, user, role)
        session = v3.Password(
            auth_url=admin.config.get_auth_args()["auth_url"],
            user_id=user.id,
            password=password,
            project_id=project.id,
        )
        yield str(session.get_token(admin.session))
    finally:
        identity.delete_user(user)
        identity.delete_project(project)


def test_an_object_is_kept(member: Any, container: str):
    """
    What was put is got back to the byte, listed, and gone once deleted.
    """
    store = member.object_store
    store.upload_object(container=container, name="a/b", data=CONTENT)

    assert store.download_object("a/b", container=container) == CONTENT
    assert [found.name for found in store.objects(container)] == ["a/b"]

    store.delete_object("a/b", container=container)
    assert not list(store.objects(container))


def test_s3_with_tls_and_swift_show_the_same_object(
    cloud: Any, member: Any, container: str, keys: tuple[str, str], tmp_path: Path
):
    """
    An S3 client that verifies the certificate writes an object that Swift's own API reads.
    """
    source = tmp_path / "object"
    source.write_bytes(CONTENT)

    answer = _s3(cloud, keys, f"{container}/c", "--upload-file", str(source))

    assert answer == "200"
    assert member.object_store.download_object("c", container=container) == CONTENT


def test_a_wrong_key_gets_nothing(cloud: Any, container: str, keys: tuple[str, str]):
    """
    A signature by another secret is refused.
    """
    assert _s3(cloud, keys, container) == "200"
    assert _s3(cloud, (keys[0], "0" * 32), container) == "403"


def test_another_project_sees_nothing(member: Any, container: str, stranger: str):
    """
    Without a token, and with one of another project, a container is closed.
    """
    url = member.object_store.get_endpoint() + f"/{container}"

    assert httpx.get(url, headers={"X-Auth-Token": stranger}).status_code == 403
    assert httpx.get(url).status_code == 401


def _s3(cloud: Any, keys: tuple[str, str], path: str, *more: str) -> str:
    """
    One S3 request as curl signs it; the status. The key goes by standard input.
    """
    port = 20000 + 100 * cloud.slot + 8
    payload = "x-amz-content-sha256: UNSIGNED-PAYLOAD"
    done = subprocess.run(
        [
            *("curl", "--silent", "--output", "/dev/null", "--write-out"),
            *("%{http_code}", "--cacert", str(cloud.home / "state/tls/ca.pem")),
            *("--aws-sigv4", "aws:amz:RegionOne:s3", "--header", payload),
            *("--config", "-", *more),
            f"https://{cloud.gateway}:{port}/{path}",
        ],
        input=f'user = "{keys[0]}:{keys[1]}"\n',
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout
