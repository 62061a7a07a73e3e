"""
Listening to a builder's console until it has said what we wait for, and keeping what it said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from blueprints import console_marks
from blueprints.console_marks import Heard
from fournines import log
from fournines.cloud.errors import CloudError
from tasks.workshop import Workshop

CONSOLE_LINES = 3_000
"""A package list takes some fifty, systemd and cloud-init two hundred; hypervisors keep some thousand."""

LISTEN_SECONDS = 2.0
"""Between two looks: a bake takes minutes."""

LINES_SHOWN = 12

_log = log.get("baking")


class BakeFailed(Exception):
    """
    A builder, or an image, did not do what its recipe asks for. The message says what, and where the log lies.
    """


class Listening:
    """
    The consoles of one bake.
    """

    def __init__(
        self,
        workshop: Workshop,
        nonce: str,
        tell: Callable[[str], None],
        file: Path,
    ) -> None:
        self._workshop = workshop
        self._nonce = nonce
        self._tell = tell
        self._file = file

    def until(self, word: str, instance: str, seconds: float) -> Heard:
        """
        What was said when `word` fell.

        Raises:
            BakeFailed: A step failed, or the word did not fall in time; the console is kept.
        """
        clock = self._workshop.clock
        deadline = clock.now() + timedelta(seconds=seconds)
        told = 0
        while True:
            console = self._console(instance)
            heard = console_marks.heard(console, self._nonce)
            for step in heard.begun[told:]:
                self._tell(f"  {step}")
            told = len(heard.begun)
            if heard.failed:
                raise self._failure(instance, f"{heard.failed} failed", console, heard)
            if word in heard.said:
                return heard
            if clock.now() >= deadline:
                last = heard.begun[-1] if heard.begun else "the first boot"
                raise self._failure(
                    instance,
                    f"{last} did not end within {seconds:.0f} s",
                    console,
                    heard,
                )
            clock.sleep(LISTEN_SECONDS)

    def _console(self, instance: str) -> str:
        try:
            return self._workshop.cloud.console(instance, CONSOLE_LINES)
        except CloudError as error:
            # A console is looked at again; only silence until the deadline counts.
            _log.info("console_not_read", instance=instance, error=str(error))
            return ""

    def _failure(
        self, instance: str, what: str, console: str, heard: Heard
    ) -> BakeFailed:
        said = heard.texts.get("log", "")
        keep(self._file, f"{console}\n\n== what the script said last ==\n{said}\n")
        lines = [line for line in said.splitlines() if line.strip()]
        shown = "".join(f"\n    {line}" for line in lines[-LINES_SHOWN:])
        return BakeFailed(f"{instance}: {what}; the log lies in {self._file}{shown}")


def keep(file: Path, text: str) -> str:
    """
    Write a file that is kept; the digest of its content.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()
