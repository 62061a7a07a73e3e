"""
Slurm's REST interface, in the few words we need. It refuses by 500 and a list of errors; what gives no answer at all is silent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import httpx
import jwt
from pydantic import JsonValue

from blueprints.batch import reading
from blueprints.batch.reading import Node, Record
from fournines.clock import Clock
from fournines.model import names
from fournines.model.desired import Service
from tasks.operators import ClusterRefused, ClusterSilent
from tasks.operators.access import Access
from tasks.operators.http import Api

PORT = 6820
API = "/slurm/v0.0.38"
ORDERS = "/fournines/nodes"
"""What this Slurm's interface has no word for, the program before it does (blueprints/batch/guest/gate.py)."""

OPERATOR, PEOPLE = "slurm", "job"
"""Whom a token speaks for: Slurm's own user may do everything, that of the jobs may submit."""

CONTROLLER, WORKERS = "controller", "workers"

_TOKEN_LIFE = timedelta(minutes=10)
_GATE_TROUBLE = 502
_LISTING_SECONDS = 60.0
_UNKNOWN_JOB = 2017

Document = dict[str, Any]


class Engine(Protocol):
    """
    What we ask of a batch engine. Thread-safe.

    Raises:
        ClusterSilent: Nobody answers.
        ClusterRefused: It said no.
    """

    def ping(self) -> bool:
        """Whether the controller is up."""
        ...

    def nodes(self) -> tuple[Node, ...]:
        """The workers it knows."""
        ...

    def tasks(self) -> tuple[Record, ...]:
        """Every task that waits or runs, and those that ended not long ago."""
        ...

    def submit(self, script: str, job: dict[str, JsonValue]) -> int:
        """The number of a new job."""
        ...

    def change_job(self, number: int, **changes: JsonValue) -> None:
        """Change what waits."""
        ...

    def cancel(self, number: int) -> None:
        """End a job, with all of its array. One that is unknown has ended."""
        ...

    def change_node(self, node: str, state: str, reason: str) -> None:
        """DRAIN: no more work. DOWN: what runs there goes back to the queue. RESUME: as before."""
        ...

    def forget_node(self, node: str) -> None:
        """Know a worker no more."""
        ...


class SlurmInterface:
    """
    One service's interface, at whatever address its controller has now.

    Raises:
        ClusterSilent: The controller does not answer.
        ClusterRefused: Slurm said no.
    """

    def __init__(
        self, access: Access, clock: Clock, address: Callable[[], str | None]
    ) -> None:
        self._key = access.secret("jwt")
        self._clock = clock
        self._address = address
        self._api = Api(PORT, ca=access.ca, silent_from=_GATE_TROUBLE)

    def ping(self) -> bool:
        """
        Whether the controller's daemon is up.
        """
        said = self._ask("GET", "ping", "asking Slurm's controller how it is")
        return any(one.get("ping") == "UP" for one in said.get("pings") or ())

    def nodes(self) -> tuple[Node, ...]:
        """
        The workers Slurm knows.
        """
        said = self._ask("GET", "nodes", "asking Slurm for its workers")
        return tuple(reading.node(one) for one in said.get("nodes") or ())

    def tasks(self) -> tuple[Record, ...]:
        """
        Every task that waits or runs, and those that ended within the last half hour.
        """
        said = self._ask(
            "GET", "jobs", "asking Slurm for its jobs", seconds=_LISTING_SECONDS
        )
        return tuple(reading.record(one) for one in said.get("jobs") or ())

    def submit(self, script: str, job: dict[str, JsonValue]) -> int:
        """
        Slurm's number of a new job.
        """
        said = self._ask(
            "POST",
            "job/submit",
            f"submitting {job.get('name')}",
            body={"script": script, "job": job},
            user=PEOPLE,
            seconds=_LISTING_SECONDS,
            taken="job_id",
        )
        number = said.get("job_id")
        if not number:
            raise ClusterRefused(
                f"submitting {job.get('name')}", "Slurm gave it no number"
            )
        return int(number)

    def change_job(self, number: int, **changes: JsonValue) -> None:
        """
        Change what waits.
        """
        doing = f"changing job {number}"
        self._ask("POST", f"job/{number}", doing, body=changes, hollow=True)

    def cancel(self, number: int) -> None:
        """
        End a job, with all of its array. One that is unknown has ended.
        """
        self._ask(
            "DELETE", f"job/{number}", f"cancelling job {number}", fine=_UNKNOWN_JOB
        )

    def change_node(self, node: str, state: str, reason: str) -> None:
        """
        DRAIN, DOWN or RESUME.
        """
        body: JsonValue = {"state": state, "reason": reason}
        self._ask("POST", f"{ORDERS}/{node}", f"setting {node} to {state}", body=body)

    def forget_node(self, node: str) -> None:
        """
        Have Slurm know a worker no more.
        """
        try:
            self._ask("DELETE", f"{ORDERS}/{node}", f"forgetting {node}")
        except ClusterRefused:
            if any(one.name == node for one in self.nodes()):
                raise

    def _ask(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        body: JsonValue = None,
        user: str = OPERATOR,
        seconds: float | None = None,
        fine: int | None = None,
        hollow: bool = False,
        taken: str = "",
    ) -> Document:
        # `fine` is an error that is none. `hollow`: one without a number is none, so this Slurm says that all of an array was changed.
        # With `taken` in its answer it did as asked, whatever it remarks: that a job has to wait, since every worker is about to leave.
        address = self._address()
        if address is None:
            raise ClusterSilent(doing, "the controller has no address")
        answer = self._api.ask(
            address,
            path if path.startswith("/") else f"{API}/{path}",
            method=method,
            body=body,
            doing=doing,
            timeout_seconds=seconds,
            headers=self._proof(user),
        )
        said = _document(answer, doing)
        errors = said.get("errors") or []
        if answer.is_success and (not errors or said.get(taken)):
            return said
        numbers = {_number(one) for one in errors}
        if (fine is not None and fine in numbers) or (hollow and numbers == {None}):
            return said
        raise ClusterRefused(doing, _told(errors) or f"status {answer.status_code}")

    def _proof(self, user: str) -> dict[str, str]:
        now = self._clock.now()
        claims = {"iat": now, "exp": now + _TOKEN_LIFE, "sun": user}
        token = jwt.encode(claims, self._key, algorithm="HS256")
        return {"X-SLURM-USER-NAME": user, "X-SLURM-USER-TOKEN": token}


def controller_slot(service: Service) -> str:
    """
    The one slot of the controller.
    """
    return names.slot(service.platform, service.name, CONTROLLER, 0)


def _number(error: Document) -> int | None:
    """
    Slurm's own, which its interface calls by another name in each place.
    """
    keys = ("error_number", "error_code", "errno")
    return next((int(error[key]) for key in keys if key in error), None)


def _document(answer: httpx.Response, doing: str) -> Document:
    try:
        found = answer.json()
    except ValueError as error:
        said = " ".join(answer.text.split())[:200]
        raise ClusterSilent(doing, f"{answer.status_code} {said}") from error
    if not isinstance(found, dict):
        raise ClusterSilent(doing, "it answers with no document")
    return found


def _told(errors: list[Document]) -> str:
    texts = (str(one.get("error") or one.get("description") or one) for one in errors)
    return "; ".join(dict.fromkeys(texts))
