"""
Text from outside, made harmless to look at. Pure.

Labels, error messages and console tails come from programs that are not ours, and end up in terminals, logs and Markdown. What moves a
terminal's cursor, hides or reorders text, or no database takes, is replaced; what Markdown or HTML would read as more than text is escaped.
"""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls except tab and newline: terminal escapes, NUL
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # invisible, or reordering what stands beside them
    "\ud800-\udfff"  # halves of characters: no encoder takes them
    "\U000e0000-\U000e007f]"  # tags: text that nobody sees
)

_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&])")


_IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def plain(text: str) -> str:
    """
    The text with everything unseen replaced by U+FFFD; tabs and newlines stay.
    """
    return _UNSEEN.sub(REPLACEMENT, text)


def line(text: str) -> str:
    """
    As `plain`, on one line.
    """
    return " ".join(plain(text).split())


def markdown(text: str) -> str:
    """
    As `line`, with every character escaped that Markdown, a table of it, or HTML would take for its own.

    `<` and `&` become entities: what sits in a page that a browser shows must not depend on the renderer's care.
    """
    escaped = _MARKDOWN.sub(r"\\\1", line(text))
    return escaped.replace("\\&", "&amp;").replace("\\<", "&lt;").replace("\\>", "&gt;")


def without_password(text: str) -> str:
    """
    The text with the password of every `scheme://user:password@host` masked.
    """
    return _IN_URL.sub(r"\1***@", text) if "://" in text else text
