"""
Words that a sealed instance and we agree on.
"""

from __future__ import annotations

KEY = "fournines_unseal"
"""The entry of a server's metadata that holds the key of its sealed files, until it is withdrawn."""

UNSEALED = "fournines: sealed files are open"
"""What an instance writes on its console once it has opened them."""
