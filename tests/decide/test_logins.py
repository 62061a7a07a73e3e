"""
Under which name each version of a password lets in.
"""

from __future__ import annotations

import pytest

from fournines.model import logins


@pytest.mark.parametrize(
    ("kept", "alone", "let_in"),
    [
        pytest.param([(1, "one")], None, {"app.a": "one"}, id="the-first"),
        pytest.param(
            [(2, "two"), (1, "one")],
            None,
            {"app.b": "two", "app.a": "one"},
            id="both-during-a-rotation",
        ),
        pytest.param([(3, "three")], None, {"app.a": "three"}, id="names-take-turns"),
        pytest.param(
            [(3, "three"), (2, "two"), (1, "one")],
            None,
            {"app.a": "three", "app.b": "two"},
            id="of-two-with-one-name-the-newer",
        ),
        pytest.param(
            [(1, "one")],
            "before",
            {"app.a": "one", "app": "before"},
            id="a-name-of-its-own-from-before-there-were-versions",
        ),
    ],
)
def test_let_in(kept, alone, let_in):
    """
    Every version that is kept lets in, under its name; the newest stands first.
    """
    found = logins.let_in("app", kept, alone)

    assert list(found.items()) == list(let_in.items())


def test_a_secret_says_whose_it_is():
    """
    Other secrets are nobody's logins.
    """
    assert logins.user_of(logins.kept_as("app")) == "app"
    assert logins.user_of(logins.kept_alone_as("app")) is None
    assert logins.user_of("superuser") is None
