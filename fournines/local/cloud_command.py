"""
The embedded cloud's own command line, which lives in a virtual environment of its own.

Imports next to nothing, because `break` and `mend` are typed with a finger on the clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fournines.settings import ROOT, Settings

_CALLED = "FOURNINES_CALLED"
"""What the cloud's command line shows as its name in usage lines."""

WRONG = 2


class CloudCommandError(Exception):
    """
    The command cannot be run here; the message says why and what to do.
    """

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def interpreter(root: Path = ROOT) -> Path:
    """
    The Python of OpenStack's own virtual environment.
    """
    return root / "deployments" / "sandbox" / ".venv" / "bin" / "python"


def run(settings: Settings, *words: str, for_reading: bool = False) -> int:
    """
    Run one of its commands with this process' terminal; returns the exit status.

    With `for_reading` the command only looks or explains, which needs no root.

    Raises:
        CloudCommandError: There is no such environment, or the command needs root.
    """
    python = interpreter()
    if not python.exists():
        raise CloudCommandError(
            "the embedded cloud's virtual environment is missing; run: make setup"
        )
    if os.geteuid() != 0 and not for_reading:
        raise CloudCommandError(
            "the embedded cloud needs root (namespaces, mounts, bridges); "
            "run it with sudo, or use your own OpenStack: FOURNINES_CLOUD=NAME",
            WRONG,
        )
    done = subprocess.run(
        [
            str(python),
            *("-m", "fournines_sandbox", "--home", str(settings.sandbox_home)),
            *("--slot", str(settings.resolved_slot), *words),
        ],
        env={**os.environ, _CALLED: "fournines"},
        capture_output=for_reading,
        text=True,
        check=False,
    )
    if for_reading:
        # As this process' own words: whoever reads them from it finds them.
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
    return done.returncode
