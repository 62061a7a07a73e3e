"""
Run one tool of the machine and say what went wrong in its own words.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


class CommandError(RuntimeError):
    """
    A tool failed: `command`, its exit status and the end of what it said.
    """

    def __init__(self, command: Sequence[str], status: int, said: str) -> None:
        self.command = tuple(command)
        self.status = status
        super().__init__(
            f"`{' '.join(command)}` ended with status {status}: {said.strip()[-800:] or 'no output'}"
        )


def run(*command: str, timeout_seconds: float = 120, stdin: bytes | None = None) -> str:
    """
    Standard output of a command that must succeed.

    Raises:
        CommandError: It ended with another status than 0.
        subprocess.TimeoutExpired: It took longer than `timeout_seconds`.
    """
    done = subprocess.run(
        command, input=stdin or b"", capture_output=True, timeout=timeout_seconds, check=False
    )
    if done.returncode != 0:
        raise CommandError(
            command, done.returncode, (done.stderr or done.stdout).decode(errors="replace")
        )
    return done.stdout.decode(errors="replace")
