"""
Files that only the instance itself may read, on their way through an API that anybody in the project may read.

They travel in user-data as one encrypted bundle; its key is an entry of the server's metadata that is withdrawn once the bundle is open.
The format is that of `openssl enc -aes-256-cbc -pbkdf2`, which every image has.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

_ITERATIONS = 10_000
"""openssl's own number: the key is random, so guessing it is hopeless with any."""

_KEY_BYTES, _IV_BYTES, _SALT_BYTES = 32, 16, 8
_SCRIPT = resources.files("fournines.trust") / "unseal.py"

Document = dict[str, Any]


def new_key() -> str:
    """
    A key, as text.
    """
    return secrets.token_hex(32)


def encrypted(content: bytes, key: str) -> bytes:
    """
    As `openssl enc -aes-256-cbc -pbkdf2 -md sha256 -pass ...` writes it.
    """
    salt = os.urandom(_SALT_BYTES)
    derived = PBKDF2HMAC(
        hashes.SHA256(), _KEY_BYTES + _IV_BYTES, salt, _ITERATIONS
    ).derive(key.encode())
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    padded = padder.update(content) + padder.finalize()
    cipher = Cipher(
        algorithms.AES(derived[:_KEY_BYTES]), modes.CBC(derived[_KEY_BYTES:])
    ).encryptor()
    return b"Salted__" + salt + cipher.update(padded) + cipher.finalize()


def with_sealed(
    document: Document, files: Sequence[Mapping[str, Any]], key: str
) -> Document:
    """
    A cloud-config that opens these `write_files` entries as the first thing it does.
    """
    bundle = base64.b64encode(
        encrypted(json.dumps([_plain(file) for file in files]).encode(), key)
    ).decode()
    script = _SCRIPT.read_text()
    opening = ["python3", "-c", script, "open", bundle]
    owning = ["python3", "-c", script, "own"]
    return {
        **document,
        "bootcmd": [opening, *(document.get("bootcmd") or ())],
        "runcmd": [owning, *(document.get("runcmd") or ())],
    }


def _plain(file: Mapping[str, Any]) -> dict[str, Any]:
    """
    The entry with its content in base64, whatever encoding it had.
    """
    content = str(file.get("content") or "")
    encoding = str(file.get("encoding") or "")
    if encoding in {"b64", "base64"}:
        data = content
    else:
        data = base64.b64encode(content.encode()).decode()
    return {
        "path": file["path"],
        "content": data,
        "permissions": str(file.get("permissions") or "0600"),
        "owner": file.get("owner") or "root:root",
    }
