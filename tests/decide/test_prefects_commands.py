"""
Prefect's own commands, which wait for ever for an answer that was lost: they are given again, and in the end an error says what to do.
"""

from __future__ import annotations

import subprocess

import pytest
import stamina

from fournines.local import bringing_up
from fournines.settings import Settings


class Runs:
    """
    What running a command comes to, each time.
    """

    def __init__(self, *ends: int | None) -> None:
        self.ends, self.given = list(ends), 0

    def __call__(self, _settings, words) -> subprocess.CompletedProcess[str]:
        """Ends with a code, or not in time."""
        self.given += 1
        code = self.ends.pop(0)
        if code is None:
            raise subprocess.TimeoutExpired(words, bringing_up.PREFECT_SECONDS)
        return subprocess.CompletedProcess(words, code, "", "no such pool")


@pytest.mark.parametrize(
    ("ends", "given", "sentence"),
    [
        ((0,), 1, ""),
        ((None, 0), 2, ""),
        ((1,), 1, "failed: no such pool"),
        ((None, None, None), 3, "had no answer within 120 s, 3 times; read "),
    ],
)
def test_a_command_without_an_answer_is_given_again(tmp_path, ends, given, sentence):
    """
    Silence is tried three times, an error that Prefect gives once.
    """
    runs = Runs(*ends)
    settings = Settings(state_dir=tmp_path, slot=0)

    with stamina.set_testing(True, attempts=3):
        if sentence:
            with pytest.raises(bringing_up.LocalError, match=sentence):
                bringing_up.tell_prefect(settings, "deploy", "--all", run=runs)
        else:
            bringing_up.tell_prefect(settings, "deploy", "--all", run=runs)

    assert runs.given == given
