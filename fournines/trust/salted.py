"""
Content sealed as OpenSSL's command line seals it ("Salted__"), which is how pgBackRest seals what it writes.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_MAGIC = b"Salted__"
_SALT_BYTES, _KEY_BYTES, _BLOCK_BYTES = 8, 32, 16


class Unreadable(ValueError):
    """
    It was not sealed so, or with another word.
    """


def opened(content: bytes, word: str) -> bytes:
    """
    What was sealed with AES-256 under a word.

    Raises:
        Unreadable: It was not, or with another word.
    """
    body = content[len(_MAGIC) + _SALT_BYTES :]
    if not content.startswith(_MAGIC) or not body or len(body) % _BLOCK_BYTES:
        raise Unreadable("it is not sealed as it should be")
    key, start = _key(word, content[len(_MAGIC) : len(_MAGIC) + _SALT_BYTES])
    decryptor = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor()
    plain = decryptor.update(body) + decryptor.finalize()
    unpadder = padding.PKCS7(_BLOCK_BYTES * 8).unpadder()
    try:
        return unpadder.update(plain) + unpadder.finalize()
    except ValueError as error:
        raise Unreadable("it was sealed with another word") from error


def sealed(content: bytes, word: str, salt: bytes) -> bytes:
    """
    The other way round.
    """
    key, start = _key(word, salt)
    padder = padding.PKCS7(_BLOCK_BYTES * 8).padder()
    padded = padder.update(content) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    return _MAGIC + salt + encryptor.update(padded) + encryptor.finalize()


def _key(word: str, salt: bytes) -> tuple[bytes, bytes]:
    """
    OpenSSL's derivation, with the digest that pgBackRest takes: the word is 190 random bits, so a slow one would add nothing.
    """
    made, last = b"", b""
    while len(made) < _KEY_BYTES + _BLOCK_BYTES:
        last = hashlib.sha1(last + word.encode() + salt, usedforsecurity=False).digest()
        made += last
    return made[:_KEY_BYTES], made[_KEY_BYTES : _KEY_BYTES + _BLOCK_BYTES]
