"""
What is kept of a service's jobs in the object store, and under which keys. It outlives controller, workers and Slurm's memory.

    open/ID                        a job that was submitted
    ended/ID                       one that has ended, with how
    jobs/ID/job                    what was asked for
    jobs/ID/number/N               Slurm's numbers of it
    jobs/ID/cancelled              somebody wants it no more
    jobs/ID/TASK/result            how a task ended; its worker writes it (blueprints/batch/guest/keeper.py), once
    jobs/ID/TASK/bad/CAUSE-CODE    the same in a name, for those that did not end well
    jobs/ID/TASK/failed/CAUSE-N    attempts that were followed by another
    jobs/ID/TASK/twice/N           attempts that came to their end after another had: their results do not count
    jobs/ID/TASK/N/log             log of an attempt (a short one stands in the result); N/output/... what it left
    artefacts/SHA256               what tasks begin with
    usage                          what tenants used (blueprints/batch/fairness.py)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from blueprints.batch.fairness import Usage
from blueprints.batch.specification import Job
from fournines.cloud.errors import ResourceMissing
from fournines.model.value import Value
from fournines.objects import ObjectStore


class Kept(Value):
    """
    A job as it was asked for.
    """

    id: str
    job: Job
    artefact: str = ""
    submitted_at: datetime


class Ended(Value):
    """
    A job that has ended: tasks by how they did.
    """

    id: str
    at: datetime
    count: int
    causes: dict[str, int]

    @property
    def well(self) -> bool:
        """
        Whether every task did.
        """
        return self.causes.get("done", 0) == self.count


@dataclass(slots=True)
class Outcomes:
    """
    How a job's tasks ended so far: all that have, and cause and code of those that did not end well; `twice`: how many did once more.
    """

    ended: set[int] = field(default_factory=set)
    bad: dict[int, tuple[str, int]] = field(default_factory=dict)
    again: int = 0
    twice: int = 0
    numbers: tuple[int, ...] = ()
    cancelled: bool = False

    @property
    def causes(self) -> dict[str, int]:
        """
        How many ended by which cause.
        """
        found: dict[str, int] = {}
        for task in self.ended:
            cause, _ = self.bad.get(task, ("done", 0))
            found[cause] = found.get(cause, 0) + 1
        return found


class Shelf:
    """
    One service's part of the object store.
    """

    def __init__(self, objects: ObjectStore, bucket: str) -> None:
        self._objects = objects
        self._bucket = bucket

    def open(self) -> None:
        """
        Make sure that there is one.
        """
        self._objects.ensure_bucket(self._bucket)

    def keep_artefact(self, content: bytes) -> str:
        """
        Its key.
        """
        key = f"artefacts/{hashlib.sha256(content).hexdigest()}"
        if not self._names(key):
            self._objects.write(self._bucket, key, content)
        return key

    def keep(self, kept: Kept) -> Kept:
        """
        Keep a job before it is submitted; one that is there already stays, and is returned.
        """
        before = self.job(kept.id)
        if before is None:
            self._write(f"jobs/{kept.id}/job", kept.model_dump_json())
        self._write(f"open/{kept.id}")
        return before or kept

    def job(self, job_id: str) -> Kept | None:
        """
        A job as it was asked for; None: there was never one.
        """
        data = self._read(f"jobs/{job_id}/job")
        return Kept.model_validate_json(data) if data else None

    def note_number(self, job_id: str, number: int) -> None:
        """
        Slurm's number of it.
        """
        self._write(f"jobs/{job_id}/number/{number}")

    def note_cancelled(self, job_id: str) -> None:
        """
        It is wanted no more.
        """
        self._write(f"jobs/{job_id}/cancelled")

    def note_result(self, job_id: str, task: int, cause: str, code: int) -> None:
        """
        How a task ended of which its worker could not say so itself.
        """
        prefix = f"jobs/{job_id}/{task}"
        said = {"job": job_id, "task": task, "cause": cause, "code": code}
        if self._read(f"{prefix}/result") is None:
            self._write(f"{prefix}/result", json.dumps(said))
            self._write(f"{prefix}/bad/{cause}-{code}")

    def close(self, ended: Ended) -> None:
        """
        The job has ended.
        """
        self._write(f"ended/{ended.id}", ended.model_dump_json())

    def ended(self, job_id: str) -> Ended | None:
        """
        How a job ended; None: it has not.
        """
        data = self._read(f"ended/{job_id}")
        return Ended.model_validate_json(data) if data else None

    def ids(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """
        The jobs that are open, and those that have ended.
        """
        found = [
            tuple(name.partition("/")[2] for name in self._names(prefix))
            for prefix in ("open/", "ended/")
        ]
        ended = set(found[1])
        return tuple(one for one in found[0] if one not in ended), found[1]

    def outcomes(self, job_id: str) -> Outcomes:
        """
        How its tasks ended so far, from one listing.
        """
        found = Outcomes()
        prefix = f"jobs/{job_id}/"
        numbers: list[int] = []
        for key in self._names(prefix):
            match key.removeprefix(prefix).split("/"):
                case [task, "result"]:
                    found.ended.add(int(task))
                case [task, "bad", said]:
                    cause, _, code = said.rpartition("-")
                    found.bad[int(task)] = (cause, int(code))
                case [_, "twice", _]:
                    found.twice += 1
                case [_, "failed", _]:
                    found.again += 1
                case ["number", number]:
                    numbers.append(int(number))
                case ["cancelled"]:
                    found.cancelled = True
        found.numbers = tuple(sorted(numbers))
        return found

    def result(self, job_id: str, task: int) -> dict[str, Any] | None:
        """
        All that is known of a task's end.
        """
        data = self._read(f"jobs/{job_id}/{task}/result")
        found: dict[str, Any] | None = json.loads(data) if data else None
        return found

    def logs(self, job_id: str, task: int) -> Iterator[tuple[int, str]]:
        """
        The logs of a task's attempts, the first first.
        """
        prefix = f"jobs/{job_id}/{task}/"
        attempts = sorted(
            int(part)
            for key in self._names(prefix)
            if key.endswith("/log")
            and (part := key.removeprefix(prefix).partition("/")[0]).isdigit()
        )
        for attempt in attempts:
            data = self._read(f"{prefix}{attempt}/log") or b""
            yield attempt, data.decode(errors="replace")
        said = self.result(job_id, task) or {}
        if "log" in said:
            yield int(said["attempt"]), str(said["log"])

    def outputs(self, job_id: str, task: int) -> dict[str, bytes]:
        """
        The files that the attempt left which counts.
        """
        said = self.result(job_id, task) or {}
        prefix = f"jobs/{job_id}/{task}/{said.get('attempt', 0)}/output/"
        return {
            key.removeprefix(prefix): self._read(key) or b""
            for key in self._names(prefix)
        }

    def usage(self, now: float) -> Usage:
        """
        What tenants used so far; from now on, where nothing is known.
        """
        data = self._read("usage")
        return Usage.model_validate_json(data) if data else Usage(at=now)

    def keep_usage(self, usage: Usage) -> None:
        """
        Keep it.
        """
        self._write("usage", usage.model_dump_json())

    def _write(self, name: str, text: str = "") -> None:
        self._objects.write(self._bucket, name, text.encode())

    def _read(self, name: str) -> bytes | None:
        try:
            return self._objects.read(self._bucket, name)
        except ResourceMissing:
            return None

    def _names(self, prefix: str) -> tuple[str, ...]:
        try:
            found = self._objects.objects(self._bucket, prefix)
        except ResourceMissing:
            return ()
        return tuple(one.name for one in found)
