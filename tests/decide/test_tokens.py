"""
The door's tokens: made once, rotated without a gap, readable by their owner alone.
"""

import os
import stat

from fournines import tokens
from fournines.tokens import PREVIOUS_SECONDS_MAX, Tokens


def test_made_once_and_for_the_owner_alone(tmp_path):
    """
    A second start keeps the token; nobody else may read it.
    """
    file = tokens.ensure(tmp_path / "secrets" / "webhook-token")
    made = file.read_text()
    tokens.ensure(file)

    assert file.read_text() == made
    assert len(made) >= 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_rotation_without_a_gap(tmp_path):
    """
    Old and new are good until the old one is retired; the same reader sees it without a restart.
    """
    file = tokens.ensure(tmp_path / "webhook-token", "first")
    good = Tokens(file)
    assert good.accepted() == ("first",)

    tokens.rotate(file)
    second = file.read_text()
    assert good.accepted() == (second, "first")
    assert stat.S_IMODE(tokens.previous(file).stat().st_mode) == 0o600

    assert tokens.retire(file)
    assert good.accepted() == (second,)
    assert not tokens.retire(file)


def test_two_rotations_end_the_first_token(tmp_path):
    """
    Only one previous token is good.
    """
    file = tokens.ensure(tmp_path / "webhook-token", "first")
    tokens.rotate(file)
    second = file.read_text()
    tokens.rotate(file)

    assert Tokens(file).accepted() == (file.read_text(), second)


def test_a_previous_token_ends_by_itself(tmp_path):
    """
    Nobody has to remember to retire it.
    """
    file = tokens.ensure(tmp_path / "webhook-token", "first")
    tokens.rotate(file)
    good = Tokens(file)
    assert len(good.accepted()) == 2

    long_ago = tokens.previous(file).stat().st_mtime - PREVIOUS_SECONDS_MAX - 1
    os.utime(tokens.previous(file), (long_ago, long_ago))
    assert good.accepted() == (file.read_text(),)


def test_no_file_is_no_token(tmp_path):
    """
    A missing, empty or unreadable file lets nobody in, and raises nothing.
    """
    file = tmp_path / "webhook-token"
    good = Tokens(file)
    assert good.accepted() == ()
    file.write_text("\n \n")
    assert good.accepted() == ()
    file.write_bytes(b"\xff\xfe")
    assert good.accepted() == ()
    assert Tokens(file, "").accepted() == ()


def test_a_given_token_needs_no_file(tmp_path):
    """
    FOURNINES_WEBHOOK_TOKEN stands above the file.
    """
    file = tokens.ensure(tmp_path / "webhook-token", "in-the-file")

    assert Tokens(file, "given").accepted() == ("given",)


def test_several_lines_are_several_tokens(tmp_path):
    """
    A site that writes the file by its own means may put two tokens into it.
    """
    file = tmp_path / "webhook-token"
    file.write_text("one\ntwo\n")

    assert Tokens(file).accepted() == ("one", "two")
