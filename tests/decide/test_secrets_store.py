"""
Secrets in the store: versions, encryption, concealment; one behaviour on every database.
"""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from fournines import concealment
from fournines.store.protocol import StoreError
from fournines.store.sql import open_store
from fournines.trust.keyring import KeyFile, Keyring, KeyringError

AT = datetime(2026, 5, 1, tzinfo=UTC)
CANARY = "canary-in-the-coal-mine-7391"


@pytest.fixture(autouse=True)
def _nothing_known():
    concealment.forget()
    yield
    concealment.forget()


def test_the_highest_version_is_in_force(store):
    """
    A secret is made once, added to in versions, and read as its newest.
    """
    secrets = store.secrets
    assert secrets.current("demo", "db/x") is None

    first = secrets.ensure("demo", "db/x", lambda: CANARY, at=AT)
    again = secrets.ensure("demo", "db/x", lambda: "another", at=AT)
    second = secrets.add("demo", "db/x", "newer-secret", at=AT)

    assert (first.text, first.version, again.text) == (CANARY, 1, CANARY)
    assert secrets.current("demo", "db/x") == second
    assert (second.text, second.version) == ("newer-secret", 2)
    assert secrets.versions("demo") == {"db/x": 2}
    assert secrets.versions("other") == {}


def test_two_who_make_a_secret_at_once_get_the_same(store):
    """
    Whoever comes second takes the first one's.
    """
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda n: (
                    (
                        store.secrets.ensure(
                            "demo", "db/x", lambda: f"secret-{n}", at=AT
                        )
                    ).text
                ),
                range(4),
            )
        )

    assert len(set(made)) == 1


def test_a_secret_is_handed_out_once(store):
    """
    The second time says so.
    """
    store.secrets.add("demo", "db/x", CANARY, at=AT)

    assert store.secrets.hand_out("demo", "db/x", 1, at=AT)
    assert not store.secrets.hand_out("demo", "db/x", 1, at=AT)
    assert not store.secrets.hand_out("demo", "db/none", 1, at=AT)
    assert store.secrets.current("demo", "db/x").handed_out_at == AT


def test_forgetting_takes_a_prefix(store):
    """
    What begins so goes, in all versions; its neighbours stay.
    """
    for name in ("db/x", "db/y", "dbx/z", "d%/a"):
        store.secrets.add("demo", name, CANARY, at=AT)
    store.secrets.add("demo", "db/x", CANARY, at=AT)

    assert store.secrets.forget("demo", "db/") == 3
    assert set(store.secrets.versions("demo")) == {"dbx/z", "d%/a"}
    assert store.secrets.forget("demo") == 2


def test_former_versions_are_kept_until_they_are_forgotten(store):
    """
    The newest stands first; forgetting takes the older ones of this name alone, and numbers go on.
    """
    secrets = store.secrets
    assert secrets.kept("demo", "db/x") == ()
    for number in (1, 2, 3):
        secrets.add("demo", "db/x", f"{CANARY}-{number}", at=AT)
    secrets.add("demo", "db/x2", CANARY, at=AT)

    assert [one.version for one in secrets.kept("demo", "db/x")] == [3, 2, 1]
    assert secrets.forget_before("demo", "db/x", 3) == 2
    assert secrets.forget_before("demo", "db/x", 3) == 0
    (left,) = secrets.kept("demo", "db/x")
    assert left.text == f"{CANARY}-3"
    assert secrets.add("demo", "db/x", CANARY, at=AT).version == 4
    assert len(secrets.kept("demo", "db/x2")) == 1
    assert secrets.forget_before("demo", "db/x", 5) == 2
    assert "db/x" not in secrets.versions("demo")


def test_whatever_was_kept_or_read_is_concealed(store):
    """
    From then on no log shows it; of a key with several lines not one of them.
    """
    line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"
    store.secrets.add("demo", "db/x", CANARY, at=AT)
    store.secrets.add("demo", "db/k", f"-----BEGIN-----\n{line}\n-----END-----", at=AT)

    assert CANARY not in concealment.concealed(f"password={CANARY}")
    assert line not in concealment.concealed(f'{{"k": "x\\n{line}\\n"}}')
    assert CANARY not in repr(store.secrets.current("demo", "db/x"))


def test_the_database_holds_no_secret(tmp_path):
    """
    What stands in the file is encrypted; the key file is its owner's alone.
    """
    file, key = tmp_path / "store.db", tmp_path / "secrets" / "store-key"
    store = open_store(f"sqlite:///{file}", keys=KeyFile(key))
    store.secrets.add("demo", "db/x", CANARY, at=AT)
    store.close()
    again = open_store(f"sqlite:///{file}", keys=KeyFile(key))

    assert again.secrets.current("demo", "db/x").text == CANARY
    again.close()
    assert CANARY.encode() not in file.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with create_engine(f"sqlite:///{file}").connect() as db:
        assert CANARY not in str(db.execute(text("select * from secrets")).all())


def test_another_key_file_reads_nothing_and_says_so(tmp_path):
    """
    With the wrong key, with no key in the file, and with no file named, the sentence says what to do.
    """
    url = f"sqlite:///{tmp_path}/store.db"
    open_store(url, keys=KeyFile(tmp_path / "a")).secrets.add(
        "demo", "db/x", CANARY, at=AT
    )
    (tmp_path / "broken").write_text("no key\n")
    Keyring(KeyFile(tmp_path / "b")).sealed("")

    with pytest.raises(StoreError, match="another key"):
        open_store(url, keys=KeyFile(tmp_path / "b")).secrets.current("demo", "db/x")
    with pytest.raises(StoreError, match="holds no key"):
        open_store(url, keys=KeyFile(tmp_path / "broken")).secrets.current(
            "demo", "db/x"
        )
    with pytest.raises(StoreError, match="needs a key file"):
        open_store(url).secrets.current("demo", "db/x")


def test_a_lost_key_file_is_not_replaced_by_a_new_one(tmp_path):
    """
    Where secrets are kept already a missing key is an error that says so: a new one would only hide the loss.
    """
    url, file = f"sqlite:///{tmp_path}/store.db", tmp_path / "key"
    open_store(url, keys=KeyFile(file)).secrets.add("demo", "db/x", CANARY, at=AT)
    file.unlink()
    store = open_store(url, keys=KeyFile(file))

    with pytest.raises(StoreError, match="restore it from its copy"):
        store.secrets.add("demo", "db/y", "another-secret", at=AT)
    with pytest.raises(StoreError, match="restore it from its copy"):
        store.secrets.current("demo", "db/x")
    assert not file.exists()


def test_a_key_that_somebody_added_is_read_without_a_restart(tmp_path):
    """
    What another host encrypted with a newer key is read as soon as the key is there.
    """
    file = tmp_path / "key"
    mine = Keyring(KeyFile(file))
    mine.sealed("")
    other = Keyring(KeyFile(tmp_path / "new"))
    sealed = other.sealed(CANARY)
    file.write_text((tmp_path / "new").read_text() + file.read_text())

    assert mine.opened(sealed) == CANARY


def test_older_keys_still_read(tmp_path):
    """
    A new key on top of the file encrypts from now on; what the old one encrypted can be read.
    """
    file = tmp_path / "key"
    sealed = Keyring(KeyFile(file)).sealed(CANARY)
    Keyring(KeyFile(tmp_path / "new")).sealed("")
    file.write_text((tmp_path / "new").read_text() + file.read_text())

    assert Keyring(KeyFile(file)).opened(sealed) == CANARY
    with pytest.raises(KeyringError):
        Keyring(KeyFile(tmp_path / "new")).opened(sealed)
