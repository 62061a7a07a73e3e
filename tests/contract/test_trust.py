"""
What our cryptography makes, read by openssl, as instances and clients read it.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fournines.trust import authority, sealing

NOW = datetime.now(UTC)


def openssl(*words: str, given: bytes = b"", **known: str) -> bytes:
    """
    What openssl answers.
    """
    return subprocess.run(
        ["openssl", *words], input=given, capture_output=True, check=True, env=known
    ).stdout


def test_openssl_opens_what_we_sealed():
    """
    The bundle is in openssl's own format, and its key opens it.
    """
    key = sealing.new_key()
    sealed = sealing.encrypted(b"a secret file", key)
    words = ["enc", "-d", "-aes-256-cbc", "-pbkdf2", "-md", "sha256", "-pass", "env:K"]

    assert openssl(*words, given=sealed, K=key) == b"a secret file"
    assert b"secret" not in sealed
    assert sealing.encrypted(b"a secret file", key) != sealed
    with pytest.raises(subprocess.CalledProcessError):
        openssl(*words, given=sealed, K=sealing.new_key())


def test_openssl_trusts_a_slot_s_certificate(tmp_path):
    """
    The authority's certificate verifies a slot's, for servers and clients, by name and by address.
    """
    signer = authority.found_authority("demo", NOW)
    slot = authority.issue(signer, "demo-db-pg-0", ["10.0.0.5", "localhost"], NOW)
    ca, leaf = tmp_path / "ca.pem", tmp_path / "leaf.pem"
    ca.write_text(signer.certificate)
    leaf.write_text(slot.certificate)

    for purpose in ("sslserver", "sslclient"):
        for check in (
            ["-verify_hostname", "demo-db-pg-0"],
            ["-verify_ip", "10.0.0.5"],
        ):
            words = ["verify", "-CAfile", str(ca), "-purpose", purpose, *check]
            assert b"OK" in openssl(*words, str(leaf))
    with pytest.raises(subprocess.CalledProcessError):
        openssl("verify", "-CAfile", str(ca), "-verify_ip", "10.0.0.6", str(leaf))
    assert authority.names_of(slot.certificate) == {
        "demo-db-pg-0",
        "10.0.0.5",
        "localhost",
    }
    left = authority.validity(slot.certificate).left_seconds(NOW)
    assert left == pytest.approx(timedelta(days=90).total_seconds(), abs=2)
    openssl("pkey", "-noout", given=slot.private_key.encode())


def test_an_instance_unseals_its_files(tmp_path):
    """
    The script that runs at first boot writes the files with their permissions, says so, and does nothing the second time.
    """
    key = sealing.new_key()
    path = tmp_path / "etc" / "secret.conf"
    files = [
        {"path": str(path), "content": "password=x\n", "permissions": "0640"},
        {"path": f"{path}.bin", "content": base64.b64encode(b"\0\1").decode()}
        | {"encoding": "b64", "owner": "nobody-here:root"},
    ]
    document = sealing.with_sealed({"runcmd": ["own"]}, files, key)
    data = tmp_path / "instance-data"
    meta = {"fournines_unseal": key}
    data.write_text(json.dumps({"ds": {"meta_data": {"meta": meta}}}))
    console = tmp_path / "console"
    console.touch()

    def run(command: list[str]) -> int:
        script = command[2].replace("/var/lib/fournines", str(tmp_path / "home"))
        script = script.replace("/dev/console", str(console))
        script = script.replace(
            "/run/cloud-init/instance-data-sensitive.json", str(data)
        )
        return subprocess.run(
            [sys.executable, "-c", script, *command[3:]],
            check=False,
            capture_output=True,
        ).returncode

    opening, owning = document["bootcmd"][0], document["runcmd"][0]
    assert run(opening) == 0
    first = path.stat()
    assert path.read_text() == "password=x\n"
    assert first.st_mode & 0o777 == 0o640
    assert Path(f"{path}.bin").read_bytes() == b"\0\1"
    assert "sealed files are open" in console.read_text()
    data.unlink()
    assert run(opening) == 0
    assert path.stat().st_mtime_ns == first.st_mtime_ns
    assert run(owning) == 1
    assert document["runcmd"][1:] == ["own"]
    assert "password=x" not in json.dumps(document)
