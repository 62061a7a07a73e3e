"""
The load generator beside a demonstration.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

DEMONSTRATION = """
import sys, time
from pathlib import Path
from fournines.demo.load_process import LoadProcess
load = LoadProcess(sys.argv[1], 20, 60, Path(sys.argv[2]))
print(load._process.pid, flush=True)
time.sleep(60)
"""
SECONDS_MAX = 20.0


def test_a_killed_demonstration_leaves_no_load(tmp_path):
    """
    The load ends by itself when its demonstration is killed, though an hour of it was asked for.
    """
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        output = tmp_path / "load.jsonl"
        demonstration = subprocess.Popen(
            [sys.executable, "-c", DEMONSTRATION, url, str(output)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert demonstration.stdout is not None
        load = int(demonstration.stdout.readline())
        end = time.monotonic() + SECONDS_MAX
        while not output.read_text() and time.monotonic() < end:
            time.sleep(0.1)
        assert output.read_text()

        demonstration.send_signal(signal.SIGKILL)
        demonstration.wait()
        demonstration.stdout.close()

        end = time.monotonic() + SECONDS_MAX
        while _runs(load) and time.monotonic() < end:
            time.sleep(0.1)
        assert not _runs(load)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0] != "Z"
