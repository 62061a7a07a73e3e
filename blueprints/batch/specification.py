"""
What a job is asked to be: a model, read from YAML, and everything that may be wrong with it. Pure.

A file holds one job, or several by name below `jobs`, which may come after one another.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from blueprints.problem import BlueprintError, PathPart, Problem, did_you_mean
from blueprints.source import Source
from blueprints.validation import below, validated
from fournines.model import duration
from fournines.model.value import Value

NAME_PATTERN = r"^[a-z][a-z0-9-]{0,29}$"
ID_PATTERN = r"^[a-z][a-z0-9-]{0,59}$"
SCRIPT_BYTES_MAX = 1_000_000
"""Slurm takes four megabytes; what is longer is an artefact's business."""

_FORBIDDEN = ("SLURM_", "FOURNINES_")
_GIVEN = ("TASK", "ATTEMPT", "OUTPUT")

JobId = Annotated[str, Field(pattern=ID_PATTERN)]


class JobsInvalid(BlueprintError):
    """
    A job, or a file of jobs, breaks a rule.
    """


class Resources(Value):
    """
    What one task takes of a worker.
    """

    cpus: int = Field(1, ge=1, le=256)
    memory_mb: int | None = Field(None, ge=1)


class Retries(Value):
    """
    How often a task is tried again, by why it ended. `lost`: its worker died, which is no fault of its own.
    """

    failed: int = Field(0, ge=0, le=100)
    timeout: int = Field(0, ge=0, le=100)
    memory: int = Field(0, ge=0, le=100)
    lost: int = Field(10, ge=0, le=100)


class Array(Value):
    """
    Tasks 0 to count - 1, at most `at_once` of them at once.
    """

    count: int = Field(ge=1, le=100_000)
    at_once: int | None = Field(None, ge=1)


class Job(Value):
    """
    One job.

    Attributes:
        command: A line for the shell. Either this or `script`.
        script: A whole script, with its first line saying who reads it.
        artefact: A tarball, a folder or a git repository, unpacked where tasks begin.
        time_limit: Of one task: seconds, or `10m`, `2h`.
        after: Jobs that must have ended well before: of this file by name, or earlier ones by id.
    """

    name: str = Field("", pattern=NAME_PATTERN + "|^$")
    queue: str | None = None
    tenant: str | None = None
    command: str | None = Field(None, min_length=1)
    script: str | None = Field(None, min_length=3)
    artefact: str | None = Field(None, min_length=1)
    array: Array | None = None
    resources: Resources = Resources()
    retries: Retries = Retries()
    time_limit: int | str | None = None
    after: tuple[JobId, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict, max_length=100)

    @field_validator("array", mode="before")
    @classmethod
    def _short_array(cls, given: Any) -> Any:
        """`array: 100` is short for a count."""
        if isinstance(given, int) and not isinstance(given, bool):
            return {"count": given}
        if given is not None and not isinstance(given, (dict, Array)):
            raise ValueError("must be a number of tasks, or {count: 100, at_once: 10}")
        return given

    @field_validator("time_limit", mode="before")
    @classmethod
    def _a_duration(cls, given: Any) -> Any:
        if isinstance(given, str):
            duration.parse(given)
        elif given is not None and (type(given) is not int or given < 1):
            raise ValueError("must be a number of seconds, or a duration: 90s, 30m, 2h")
        return given

    @field_validator("environment")
    @classmethod
    def _free_names(cls, given: dict[str, str]) -> dict[str, str]:
        for name in given:
            if not name.isidentifier() or not name.isascii():
                raise ValueError(
                    f"{name!r} is no name of a variable: letters, digits and _, not beginning with a digit"
                )
            if name.startswith(_FORBIDDEN) or name in _GIVEN:
                raise ValueError(f"may not set {name!r}, which is set for each task")
        return given

    @field_validator("command", "script")
    @classmethod
    def _text(cls, given: str | None) -> str | None:
        if given is not None and "\0" in given:
            raise ValueError("holds a character 0, where every shell ends reading")
        return given

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.command is None) == (self.script is None):
            raise ValueError("give either command or script")
        if self.script is not None and not self.script.startswith("#!"):
            raise ValueError("script must begin with #! and who reads it")
        if len((self.script or "").encode()) > SCRIPT_BYTES_MAX:
            raise ValueError("script is too long; put it into the artefact")
        return self

    @property
    def text(self) -> str:
        """
        The script that is run.
        """
        return self.script or f"#!/bin/sh\n{self.command}\n"

    @property
    def count(self) -> int:
        """
        How many tasks it has.
        """
        return self.array.count if self.array else 1

    @property
    def seconds(self) -> int | None:
        """
        How long a task may take, where the job says so.
        """
        if isinstance(self.time_limit, str):
            return int(duration.parse(self.time_limit).total_seconds())
        return self.time_limit


class Queue(Value):
    """
    A queue as the service has it.
    """

    priority: int = 10
    time_limit_minutes: int = 1440


class Limits(Value):
    """
    What a service gives at most.
    """

    queues: dict[str, Queue]
    tenants: dict[str, int] = Field(default_factory=dict)
    cpus: int
    memory_mb: int
    array_max: int

    @classmethod
    def of(cls, parameters: Mapping[str, JsonValue]) -> Limits:
        """
        Of a batch service, by its parameters.
        """
        return cls.model_validate({k: parameters[k] for k in cls.model_fields})

    @property
    def first_queue(self) -> str:
        """
        Where jobs go that name none.
        """
        return next(iter(self.queues))


def read(source: Source) -> dict[str, Job]:
    """
    The jobs of a document, by name, in an order in which each stands after those it comes after.

    Raises:
        JobsInvalid: With every problem.
    """
    several = "jobs" in source.data
    entries: Any = source.data["jobs"] if several else {"": source.data}
    if not isinstance(entries, dict) or not entries:
        raise JobsInvalid([source.problem(["jobs"], "must hold jobs by name")])
    problems: list[Problem] = []
    if several:
        problems += (
            source.problem([key], "stands beside `jobs`; put it into a job")
            for key in source.data
            if key != "jobs"
        )
    found: dict[str, Job] = {}
    for key, entry in entries.items():
        job, wrong = validated(Job, entry, _place(source, key))
        problems += wrong
        if job is None:
            continue
        named = job.model_copy(update={"name": job.name or str(key)})
        if not named.name:
            problems.append(
                source.problem(["name"], "is needed: what the job is called")
            )
        if key and not re.match(NAME_PATTERN, str(key)):
            said = "lower-case letters, digits and hyphens, at most 30, beginning with a letter"
            problems.append(
                source.problem(["jobs", key], f"{key!r} is no name: {said}")
            )
        found[str(key or named.name)] = named
    problems += _circle(source, found)
    if problems:
        raise JobsInvalid(problems)
    return {name: found[name] for name in _sorted(found)}


def _meant(word: str, jobs: Mapping[str, Job]) -> str:
    said = did_you_mean(word, jobs)
    return said if "mean" in said else ""


def place(
    source: Source, jobs: Mapping[str, Job], job: Job
) -> Callable[[Any, str], Problem]:
    """
    Problems of one of a file's jobs, at their place.
    """
    name = next((name for name, one in jobs.items() if one is job), "")
    return _place(source, name if "jobs" in source.data else "")


def _place(source: Source, key: str) -> Callable[[Any, str], Problem]:
    return below(source, "jobs", key) if key else below(source)


def _graph(jobs: Mapping[str, Job]) -> dict[str, set[str]]:
    return {name: {a for a in job.after if a in jobs} for name, job in jobs.items()}


def _sorted(jobs: Mapping[str, Job]) -> tuple[str, ...]:
    return tuple(graphlib.TopologicalSorter(_graph(jobs)).static_order())


def _circle(source: Source, jobs: Mapping[str, Job]) -> Iterator[Problem]:
    try:
        _sorted(jobs)
    except graphlib.CycleError as error:
        ring = " -> ".join(reversed(error.args[1]))
        name = error.args[1][0] if "jobs" in source.data else ""
        yield _place(source, name)(
            ["after"], f"{ring} wait for each other for ever; take one `after` away"
        )


def complaints(
    source: Source, jobs: Mapping[str, Job], limits: Limits
) -> tuple[Problem, ...]:
    """
    What a service does not give: each problem at its place in the file.
    """
    several = "jobs" in source.data
    return tuple(
        _place(source, name if several else "")(path, message)
        for name, job in jobs.items()
        for path, message in beyond(job, limits)
    )


def strangers(
    source: Source,
    jobs: Mapping[str, Job],
    why_not: Callable[[str], str],
) -> tuple[Problem, ...]:
    """
    Jobs of elsewhere that one of the file comes after, and that cannot be waited for; `why_not` says why, or nothing.
    """
    several = "jobs" in source.data
    return tuple(
        _place(source, name if several else "")(
            ["after"], f"{other}: {why}{_meant(other, jobs)}"
        )
        for name, job in jobs.items()
        for other in job.after
        if other not in jobs and (why := why_not(other))
    )


def beyond(job: Job, limits: Limits) -> Iterator[tuple[list[PathPart], str]]:
    """
    Where a job asks for more than there is, and what to do.
    """
    name = job.queue or limits.first_queue
    queue = limits.queues.get(name)
    tenant = job.tenant or ""
    if queue is None:
        yield (
            ["queue"],
            f"there is no queue {name!r}{did_you_mean(name, limits.queues)}",
        )
    elif job.seconds and job.seconds > queue.time_limit_minutes * 60:
        minutes = queue.time_limit_minutes
        said = f"{job.seconds} s is over the limit of queue {name}, {minutes} minutes"
        yield ["time_limit"], f"{said}; shorten the tasks or take another queue"
    if limits.tenants and tenant not in limits.tenants:
        said = f"{tenant or 'nobody'} has no share here"
        yield ["tenant"], said + did_you_mean(tenant, limits.tenants)
    if job.count > limits.array_max:
        said = f"{job.count} tasks are more than the {limits.array_max} of one array"
        yield ["array"], f"{said}; split it"
    if job.resources.cpus > limits.cpus:
        said = f"{job.resources.cpus} CPUs fit on no worker"
        yield ["resources", "cpus"], f"{said}, each gives {limits.cpus}"
    if (job.resources.memory_mb or 0) > limits.memory_mb:
        said = f"{job.resources.memory_mb} MB fit on no worker"
        yield ["resources", "memory_mb"], f"{said}, each gives {limits.memory_mb}"
