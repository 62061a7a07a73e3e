"""
The base of every value that crosses a border or is stored.
"""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict

DIGEST_LENGTH = 16
"""Hex digits kept of a SHA-256: 64 bits, no collision among millions of values."""


class Value(BaseModel):
    """
    An immutable, comparable, closed record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def content_digest(self) -> str:
        """
        A short hash of the content: equal values, equal digests, on every machine.
        """
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]
