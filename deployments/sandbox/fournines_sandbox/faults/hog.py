"""
A program that fills an instance's memory.

    hog.py CONTROL_GROUP FILE LEFT_MB

It joins the control group and writes a file that lies in memory, which is charged to whoever first writes it: so the file goes on
weighing on the instance after this program has ended, and the kernel finds only the instance's own processes to kill. It
may itself be killed on the way; started again, it goes on.

Only the standard library, because it is started for itself alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_MB = 1 << 20


def limit(group: Path) -> int:
    """What the group may use."""
    for name in ("memory.limit_in_bytes", "memory.max"):
        if (group / name).exists():
            told = (group / name).read_text().strip()
            return 1 << 62 if told == "max" else int(told)
    raise FileNotFoundError(f"no limit of memory in {group}")


def main(group: Path, file: Path, left_bytes: int) -> None:
    """Write until no more than so many bytes are left for everything else."""
    wanted = limit(group) - left_bytes
    (group / "cgroup.procs").write_text(str(os.getpid()))
    piece = b"\1" * _MB
    with file.open("ab", buffering=0) as sink:
        while sink.tell() < wanted:
            sink.write(piece)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) * _MB)
