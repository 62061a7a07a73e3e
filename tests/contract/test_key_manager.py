"""
Where the keys of the store's secrets are: in Barbican when the cloud has it, else in a file; and what is said when neither can be had.
"""

from __future__ import annotations

from datetime import UTC, datetime

import fake_openstack as fake
import pytest
from cryptography.fernet import Fernet

from fournines.store.protocol import StoreError
from tasks import opening

AT = datetime(2026, 5, 1, tzinfo=UTC)
CANARY = "canary-in-the-key-manager-5512"
SECRETS = f"{fake.BARBICAN}/v1/secrets"


class Barbican:
    """
    Barbican's secrets, as far as its API reference tells of them.
    """

    def __init__(self, mock) -> None:
        self.kept: dict[str, str] = {}
        self.mock = mock
        version = {
            "id": "v1",
            "status": "CURRENT",
            "links": [{"rel": "self", "href": f"{fake.BARBICAN}/v1/"}],
        }
        for root in ("", "/", "/v1", "/v1/"):
            mock.get(f"{fake.BARBICAN}{root}", json={"versions": [version]})
        mock.get(SECRETS, json=self._listed)
        mock.post(SECRETS, json=self._made, status_code=201)

    def _listed(self, request, _context):
        assert request.qs["name"] == ["fournines-store-key"]
        return {
            "secrets": [self._about(number) for number in self.kept],
            "total": len(self.kept),
        }

    def _made(self, request, _context):
        return {"secret_ref": self.keep(request.json()["payload"])}

    def keep(self, payload: str) -> str:
        """
        One more secret, whoever makes it.
        """
        number = f"0000-{len(self.kept)}"
        self.kept[number] = payload
        one = f"{SECRETS}/{number}"
        self.mock.get(one, json=self._about(number))
        text = {"Content-Type": "text/plain"}
        self.mock.get(f"{one}/payload", text=payload, headers=text)
        return one

    def _about(self, number: str):
        return {
            "name": "fournines-store-key",
            "status": "ACTIVE",
            "created": f"2026-01-01T00:00:0{number[-1]}",
            "secret_ref": f"{SECRETS}/{number}",
            "content_types": {"default": "text/plain"},
        }


@pytest.fixture
def barbican(mock):
    """
    The canned cloud with a key manager.
    """
    fake.answers(mock, key_manager=fake.BARBICAN)
    return Barbican(mock)


def test_keys_are_in_barbican_when_the_cloud_has_it(barbican, tmp_path):
    """
    The first secret makes one key there and no file here; another process reads with it, and Barbican never sees the secret itself.
    """
    settings = fake.settings(tmp_path)
    with opening.store(settings) as store:
        store.secrets.add("demo", "db/x", CANARY, at=AT)
        store.secrets.add("demo", "db/y", "another-secret", at=AT)

    with opening.store(settings) as again:
        assert again.secrets.current("demo", "db/x").text == CANARY

    assert fake.sent(barbican.mock, "POST", SECRETS) == len(barbican.kept) == 1
    assert not settings.store_key_file.exists()
    assert CANARY not in "".join(r.text or "" for r in barbican.mock.request_history)


def test_a_newer_key_of_barbican_is_in_force_and_older_ones_still_read(
    barbican, tmp_path
):
    """
    One more secret of that name is a new key: what is written from then on needs it, what was written before is read.
    """
    settings = fake.settings(tmp_path)
    with opening.store(settings) as store:
        store.secrets.add("demo", "db/x", CANARY, at=AT)
    (older,) = barbican.kept
    barbican.keep(Fernet.generate_key().decode())

    with opening.store(settings) as store:
        assert store.secrets.current("demo", "db/x").text == CANARY
        store.secrets.add("demo", "db/y", "another-secret", at=AT)
    del barbican.kept[older]
    with opening.store(settings) as store:
        assert store.secrets.current("demo", "db/y").text == "another-secret"
        with pytest.raises(StoreError, match="another key"):
            store.secrets.current("demo", "db/x")


def test_a_file_that_is_there_stays_in_force(barbican, tmp_path):
    """
    What a host encrypted before its cloud had a key manager is still read, and nothing is made there.
    """
    with opening.store(fake.settings(tmp_path, store_keys="file")) as store:
        store.secrets.add("demo", "db/x", CANARY, at=AT)

    with opening.store(fake.settings(tmp_path)) as store:
        assert store.secrets.current("demo", "db/x").text == CANARY
    assert barbican.kept == {}


def test_without_barbican_the_key_is_a_file(mock, tmp_path):
    """
    A cloud without a key manager.
    """
    settings = fake.settings(tmp_path)
    with opening.store(settings) as store:
        store.secrets.add("demo", "db/x", CANARY, at=AT)

    assert settings.store_key_file.exists()
    assert mock.called


@pytest.mark.parametrize(
    ("keys", "answer", "sentence"),
    [
        ("auto", {"status_code": 403}, "role `creator`"),
        ("auto", {"status_code": 503}, "cannot be made"),
        ("barbican", {"status_code": 403}, "FOURNINES_STORE_KEYS=file"),
    ],
)
def test_what_barbican_refuses_is_said_and_no_file_is_made(
    barbican, tmp_path, keys, answer, sentence
):
    """
    A secret is not kept under a key of this host because the key manager failed: the next process would look for it there.
    """
    barbican.mock.post(SECRETS, **answer)
    settings = fake.settings(tmp_path, store_keys=keys)

    with opening.store(settings) as store, pytest.raises(StoreError, match=sentence):
        store.secrets.add("demo", "db/x", CANARY, at=AT)
    assert not settings.store_key_file.exists()


@pytest.mark.usefixtures("mock")
def test_barbican_that_was_asked_for_and_is_not_there_is_said(tmp_path):
    """
    Who wants the key manager gets it or an error.
    """
    settings = fake.settings(tmp_path, store_keys="barbican")

    with (
        opening.store(settings) as store,
        pytest.raises(StoreError, match="no key manager"),
    ):
        store.secrets.add("demo", "db/x", CANARY, at=AT)
