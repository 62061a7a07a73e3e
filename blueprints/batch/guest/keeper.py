"""
Stands beside the tasks of a worker: fetches what they need, keeps what they give out, and says whether one that failed is tried once more.

A task has ended when its result is in the object store, not before: whatever dies in between, it is found there that it was done, and it is not
done again. Of two attempts that both came to an end (a worker that was frozen, and thawed) the first result stands.
"""

# ruff: noqa: INP001  an instance runs this file by itself

from __future__ import annotations

import http.server
import json
import os
import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bucket import Bucket, StoreTrouble

HOME = Path("/etc/batch/keeper.json")
TASKS = Path("/var/lib/batch/tasks")
TASK_PORT, HEALTH_PORT = 7079, 8000
USER = "job"
KEEP_TRYING_SECONDS = 840.0
TRY_EVERY_SECONDS = 2.0
TELL_EVERY_SECONDS = 3.0
LOG_BYTES_MAX = 16 * 1024 * 1024
"""Of a longer log its beginning and its end are kept."""

SHORT_LOG_BYTES_MAX = 8 * 1024

AGAIN = 200
GO = "go"
TIMED_OUT, KILLED = 124, 137


@dataclass(frozen=True, slots=True)
class Task:
    """
    One attempt at a task, as the line says that its shell sends.
    """

    place: Path
    job: str
    number: int
    restarts: int
    seconds: float
    retries: dict[str, int]
    artefact: str

    @classmethod
    def of(cls, place: str, said: str) -> Task:
        """
        Read it.
        """
        job, number, restarts, seconds, retries, artefact = said.split("/", 5)
        pairs = (part.split(":") for part in retries.split(",") if part)
        found = Path(place).resolve()
        if found.parent != TASKS or "." in job:
            raise ValueError(f"no task runs in {place}")
        return cls(
            found,
            job,
            int(number),
            int(restarts),
            float(seconds),
            {cause: int(count) for cause, count in pairs},
            artefact,
        )

    @property
    def prefix(self) -> str:
        """Where what belongs to the task is kept."""
        return f"jobs/{self.job}/{self.number}"

    @property
    def attempt(self) -> str:
        """Where what belongs to this attempt is kept."""
        return f"{self.prefix}/{self.restarts}"


def cause(code: int, seconds: float, limit_seconds: float) -> str:
    """
    Why an attempt ended.
    """
    if code == 0:
        return "done"
    if code in {TIMED_OUT, KILLED} and seconds >= limit_seconds:
        return "timeout"
    return "memory" if code == KILLED else "failed"


class Keeper:
    """
    What is done for tasks.
    """

    def __init__(self, settings: dict[str, str], bucket: Bucket) -> None:
        self._node = settings["node"]
        self._bucket = bucket
        self._told: dict[Path, int] = {}
        self.well_at = time.monotonic()

    def begin(self, task: Task) -> str:
        """
        "go", or the exit code of a task that is done already or given up.
        """
        result = self._result(task)
        if result is not None:
            shutil.rmtree(task.place, ignore_errors=True)
            return str(_exit(result))
        if task.restarts > sum(task.retries.values()):
            return self._final(task, "lost", 1, time.time())
        if task.artefact:
            content = self._bucket.get(task.artefact)
            if content is None:
                (task.place / "log").write_text(f"{task.artefact} is not kept any more")
                return self._final(task, "failed", 1, time.time())
            unpack(content, task.place / "work")
        return GO

    def end(self, task: Task, code: int) -> str:
        """
        Keep log and output; the exit code for Slurm.
        """
        began = (task.place / "script").stat().st_mtime
        why = cause(code, time.time() - began, task.seconds)
        if why != "done" and self._may_again(task, why):
            self._keep_all(task)
            self._bucket.put(
                f"{task.prefix}/failed/{why}-{task.restarts}",
                json.dumps(self._record(task, why, code, began)).encode(),
            )
            self._clear(task)
            return str(AGAIN)
        return self._final(task, why, code, began)

    def _may_again(self, task: Task, why: str) -> bool:
        allowed = task.retries.get(why, 0)
        if not allowed:
            return False
        before = list(self._bucket.keys(f"{task.prefix}/failed/{why}-"))
        return len(before) < allowed

    def _final(self, task: Task, why: str, code: int, began: float) -> str:
        record = self._record(task, why, code, began)
        short = self._short_log(task)
        if short is None:
            self._keep_log(task)
        else:
            record["log"] = short
        self._keep_outputs(task)
        data = json.dumps(record).encode()
        if why != "done":
            # Its name says how it ended, so that a listing tells who did not end well.
            self._bucket.put(f"{task.prefix}/bad/{why}-{code}", b"")
        if not self._bucket.put(f"{task.prefix}/result", data, new=True):
            stands = self._result(task) or record
            if stands != record:
                # Another attempt came to its end before: this one's is told, and does not count. (The same: the answer to our own was lost.)
                self._bucket.put(f"{task.prefix}/twice/{task.restarts}", b"")
            record = stands
        self._clear(task)
        return str(_exit(record))

    def _record(self, task: Task, why: str, code: int, began: float) -> dict[str, Any]:
        outputs = [str(p.relative_to(task.place / "output")) for p in _files(task)]
        return {
            "job": task.job,
            "task": task.number,
            "attempt": task.restarts,
            "node": self._node,
            "cause": why,
            "code": code,
            "began": began,
            "ended": time.time(),
            "outputs": outputs,
        }

    def _result(self, task: Task) -> dict[str, Any] | None:
        found = self._bucket.get(f"{task.prefix}/result")
        result: dict[str, Any] | None = json.loads(found) if found else None
        return result

    def _short_log(self, task: Task) -> str | None:
        """
        A log that is kept within the result: for a task of a second each request to the store is dear. None: it is long, or part of it is kept already.
        """
        log = task.place / "log"
        if task.place in self._told or not log.exists():
            return None
        if log.stat().st_size > SHORT_LOG_BYTES_MAX:
            return None
        return log.read_text(errors="replace")

    def _keep_all(self, task: Task) -> None:
        self._keep_log(task)
        self._keep_outputs(task)

    def _keep_outputs(self, task: Task) -> None:
        for file in _files(task):
            name = file.relative_to(task.place / "output")
            self._bucket.put(f"{task.attempt}/output/{name}", file.read_bytes())

    def _keep_log(self, task: Task) -> None:
        log = task.place / "log"
        if log.exists():
            self._bucket.put(f"{task.attempt}/log", clipped(log))

    def _clear(self, task: Task) -> None:
        self._told.pop(task.place, None)
        shutil.rmtree(task.place, ignore_errors=True)

    def tell(self) -> None:
        """
        Keep the logs of what runs, as far as they have come; and of what was cancelled, whatever there is.
        """
        running = _jobs_here()
        for place in sorted(TASKS.iterdir()):
            try:
                self._tell(place, running)
            except (StoreTrouble, OSError, ValueError):
                continue

    def _tell(self, place: Path, running: set[str]) -> None:
        said = place / "task"
        log = place / "log"
        if not said.exists():
            return
        task = Task.of(str(place), said.read_text())
        size = log.stat().st_size if log.exists() else 0
        if size and size != self._told.get(place):
            self._keep_log(task)
            self._told[place] = size
        if place.name.partition("-")[0] not in running:
            self._keep_all(task)
            self._clear(task)


def unpack(archive: bytes, folder: Path) -> None:
    """
    Unpack what was given along, as the user that tasks run as.
    """
    subprocess.run(
        ["/usr/bin/tar", "--extract", "--gzip", "--directory", str(folder)],
        input=archive,
        check=True,
        user=USER,
        group=USER,
    )


def clipped(log: Path) -> bytes:
    """
    A log that is not too long.
    """
    size = log.stat().st_size
    if size <= LOG_BYTES_MAX:
        return log.read_bytes()
    half = LOG_BYTES_MAX // 2
    with log.open("rb") as file:
        head = file.read(half)
        file.seek(size - half)
        return head + b"\n[...]\n" + file.read()


def _exit(result: dict[str, Any]) -> int:
    """
    The exit code for Slurm: 200 would mean once more.
    """
    code = int(result["code"])
    return 1 if code == AGAIN else code


def _files(task: Task) -> list[Path]:
    """
    Whatever a task left in its output folder; what a link points to is not its own.
    """
    found = sorted((task.place / "output").rglob("*"))
    return [one for one in found if one.is_file() and not one.is_symlink()]


def _jobs_here() -> set[str]:
    """
    The jobs that Slurm runs on this worker now.
    """
    said = subprocess.run(
        ["/usr/bin/pgrep", "-a", "slurmstepd"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return set(_numbers(said))


def _numbers(said: str) -> Iterator[str]:
    for line in said.splitlines():
        for word in line.split():
            if word.startswith("["):
                yield word.strip("[]").partition(".")[0]


class Line(socketserver.StreamRequestHandler):
    """
    One line from a task's shell, one answer.
    """

    keeper: Keeper

    def handle(self) -> None:
        words = self.rfile.readline().decode().rstrip("\n").split("\t")
        verb, place, code, said = words
        task = Task.of(place, said)
        end = time.monotonic() + KEEP_TRYING_SECONDS
        while True:
            try:
                answer = (
                    self.keeper.begin(task)
                    if verb == "begin"
                    else self.keeper.end(task, int(code))
                )
                break
            except StoreTrouble:
                # Better a task that waits than one that ran for nothing.
                if time.monotonic() > end:
                    answer = str(AGAIN)
                    break
                time.sleep(TRY_EVERY_SECONDS)
        self.wfile.write(answer.encode() + b"\n")


class Health(http.server.BaseHTTPRequestHandler):
    """
    Whether Slurm's daemon runs here.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        good = _alive(Path("/run/slurmd.pid"))
        body = b"serves\n" if good else b"does not\n"
        if self.path == "/metrics":
            good, body = True, f"batch_worker_up {int(good)}\n".encode()
        self.send_response(200 if good else 503)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Health checks come every second: nothing is logged."""


def _alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


class Server(socketserver.ThreadingTCPServer):
    """
    A thread for each task.
    """

    daemon_threads = True
    allow_reuse_address = True


def main() -> None:
    """
    Answer for ever.
    """
    settings = json.loads(HOME.read_text())
    keeper = Line.keeper = Keeper(settings, Bucket(settings))
    TASKS.mkdir(parents=True, exist_ok=True)
    server = Server(("127.0.0.1", TASK_PORT), Line)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    health = http.server.ThreadingHTTPServer(("", HEALTH_PORT), Health)
    health.daemon_threads = True
    threading.Thread(target=health.serve_forever, daemon=True).start()
    while True:
        keeper.tell()
        time.sleep(TELL_EVERY_SECONDS)
