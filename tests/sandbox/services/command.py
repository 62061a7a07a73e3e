"""
The command line, as people use it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOURNINES = Path(sys.executable).parent / "fournines"
COMMAND_SECONDS_MAX = 900


def fournines(*words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """
    Run a command; what it printed is in the assertion when it ends otherwise than with `code`. None: however it ends.
    """
    done = subprocess.run(
        [FOURNINES, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS_MAX,
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done
