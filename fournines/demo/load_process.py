"""
The load generator as a process of its own, so that measuring never waits for drawing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from fournines.demo.tally import Request, parse

_STOP_SECONDS = 10.0


class LoadProcess:
    """
    A running load generator; a context manager that ends it.
    """

    def __init__(self, url: str, rate: float, seconds: float, output: Path) -> None:
        self._output = output
        self._read = 0
        self._rest = ""
        self.requests: list[Request] = []
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text("")
        command = [str(Path(sys.executable).parent / "fournines"), "load", url]
        command += ["--rate", str(rate), "--seconds", str(seconds)]
        command += ["--output", str(output), "--for-parent"]
        self._process = subprocess.Popen(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """
        End the load and read what it still wrote.
        """
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.refresh()

    def refresh(self) -> list[Request]:
        """
        Read what was written since the last call; returns the new requests.
        """
        with self._output.open() as file:
            file.seek(self._read)
            text = file.read()
            self._read = file.tell()
        fresh, self._rest = parse(self._rest + text)
        self.requests.extend(fresh)
        return fresh
