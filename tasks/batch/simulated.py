"""
A batch engine that exists only in memory: what it is given waits until a worker is free, runs for a while, and ends as it is told.

It is forgetful as the real one is, and keeps the same contract (tests/contract/batch_contract.py). Of a script it understands `exit N` and
`sleep N`, as the last line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from blueprints.batch import reading
from blueprints.batch.reading import Node, Record, Stage
from fournines.clock import Clock
from fournines.model.desired import Service
from tasks.operators import Cluster, ClusterRefused, ClusterSilent
from tasks.operators.access import Access
from tasks.operators.slurm import SlurmOperator
from tasks.operators.slurm_interface import CONTROLLER, Engine


@dataclass(slots=True)
class _Task:
    number: int
    job: str
    index: int
    queue: str
    tenant: str
    cpus: int
    seconds: float
    code: int
    at_once: int
    priority: int = 1
    stage: Stage = Stage.WAITING
    cause: str = ""
    restarts: int = 0
    node: str = ""
    began: float = 0.0
    ended: float = 0.0
    after: frozenset[int] = field(default_factory=frozenset)
    group: int = 0


class SimulatedEngine:
    """
    `Engine` in memory.

    Attributes:
        silent: While it is, no call is answered.
        submitted: Jobs as they were submitted.
        keep: What its workers do when a task has ended: they keep its result, of which job, task and code.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        task_seconds: float = 1.0,
        queues: tuple[str, ...] = ("main",),
    ) -> None:
        self._clock = clock
        self._queues = queues
        self._seconds = task_seconds
        self._tasks: list[_Task] = []
        self._nodes: dict[str, Node] = {}
        self._next = 1
        self.silent = False
        self.submitted: list[dict[str, JsonValue]] = []
        self.keep: Callable[[str, int, int], object] = _keep_nothing

    # -- levers

    def join(self, name: str) -> None:
        """
        A worker of one CPU comes.
        """
        now = self._clock.now().timestamp()
        self._nodes[name] = Node(
            name=name, flags=frozenset({"IDLE"}), cpus=1, idle_since=now
        )

    def join_once(self, name: str) -> None:
        """
        A worker comes, unless it is there.
        """
        if name not in self._nodes:
            self.join(name)

    def forget_everything(self) -> None:
        """
        The controller died before it wrote anything down.
        """
        self._tasks.clear()

    # -- Engine

    def ping(self) -> bool:
        self._answer("asking the controller how it is")
        return True

    def nodes(self) -> tuple[Node, ...]:
        self._answer("asking for the workers")
        self._work()
        return tuple(self._nodes.values())

    def tasks(self) -> tuple[Record, ...]:
        self._answer("asking for the jobs")
        self._work()
        return tuple(self._records())

    def submit(self, script: str, job: dict[str, JsonValue]) -> int:
        self._answer("submitting")
        queue = str(job["partition"])
        if queue not in self._queues:
            raise ClusterRefused("submitting", f"there is no queue {queue}")
        self.submitted.append(job)
        group = self._next
        told, _, at_once = str(job.get("array") or "0").partition("%")
        named = str(job.get("dependency") or "").removeprefix("afterok:")
        verb, _, number = script.rstrip().rpartition("\n")[2].partition(" ")
        for index in reading.spread(told):
            self._tasks.append(
                _Task(
                    number=self._next,
                    job=str(job["comment"]).removeprefix(reading.COMMENT),
                    index=index,
                    queue=queue,
                    tenant=str(job.get("account") or ""),
                    cpus=int(str(job.get("cpus_per_task") or 1)),
                    seconds=float(number) if verb == "sleep" else self._seconds,
                    code=int(number) if verb == "exit" else 0,
                    at_once=int(at_once or reading.MANY),
                    after=frozenset(int(n) for n in named.split(":") if n),
                    group=group,
                )
            )
            self._next += 1
        return group

    def change_job(self, number: int, **changes: JsonValue) -> None:
        self._answer(f"changing {number} to {changes}")
        meant = [t for t in self._tasks if number in {t.number, t.group}]
        if not meant:
            raise ClusterRefused(f"changing {number}", "there is no such job")
        for task in meant:
            task.priority = int(str(changes.get("priority", task.priority)))

    def cancel(self, number: int) -> None:
        self._answer(f"cancelling {number}")
        for task in self._tasks:
            if number in {task.number, task.group} and task.stage is not Stage.ENDED:
                task.stage, task.cause = Stage.ENDED, "cancelled"

    def change_node(self, node: str, state: str, reason: str) -> None:
        self._answer(f"setting {node} to {state}: {reason}")
        known = self._known(node)
        words = {
            "DRAIN": known.flags | {"DRAIN"},
            "DOWN": (known.flags & {"DRAIN"}) | {"DOWN"},
        }
        flags = words.get(state, frozenset({"IDLE"}))
        self._nodes[node] = known.model_copy(update={"flags": flags})
        if state == "DOWN":
            for task in self._running_on(node):
                task.stage, task.node = Stage.WAITING, ""
                task.restarts += 1

    def forget_node(self, node: str) -> None:
        self._answer(f"forgetting {node}")
        if any(self._running_on(node)):
            raise ClusterRefused(f"forgetting {node}", "it has tasks")
        self._nodes.pop(node, None)

    # -- how it works

    def _answer(self, doing: str) -> None:
        if self.silent:
            raise ClusterSilent(doing, "nobody answers")

    def _known(self, node: str) -> Node:
        if node not in self._nodes:
            raise ClusterRefused(f"changing {node}", "there is no such worker")
        return self._nodes[node]

    def _running_on(self, node: str) -> Iterator[_Task]:
        for task in self._tasks:
            if task.node == node and task.stage is Stage.RUNNING:
                yield task

    def _work(self) -> None:
        """
        End what has run for long enough, and begin what a worker is free for.
        """
        now = self._clock.now().timestamp()
        for task in self._tasks:
            if task.stage is Stage.RUNNING and now - task.began >= task.seconds:
                task.stage, task.ended = Stage.ENDED, task.began + task.seconds
                task.cause = "failed" if task.code else "done"
                self.keep(task.job, task.index, task.code)
            if task.stage is Stage.WAITING and self._never(task):
                task.stage, task.cause = Stage.ENDED, "cancelled"
        for name, node in self._nodes.items():
            busy = any(self._running_on(name))
            if not busy and not node.gone and not node.leaving:
                busy = self._begin(name, now)
            flags = (node.flags - {"IDLE", "ALLOCATED"}) | {
                "ALLOCATED" if busy else "IDLE"
            }
            since = now if busy else node.idle_since
            self._nodes[name] = node.model_copy(
                update={"flags": flags, "idle_since": since}
            )

    def _begin(self, node: str, now: float) -> bool:
        waiting = [t for t in self._tasks if t.stage is Stage.WAITING]
        for task in sorted(waiting, key=lambda t: (-t.priority, t.number)):
            if not self._held(task) and self._beside(task) < task.at_once:
                task.stage, task.node, task.began = Stage.RUNNING, node, now
                return True
        return False

    def _beside(self, task: _Task) -> int:
        """How many of the same array run."""
        return sum(
            one.group == task.group and one.stage is Stage.RUNNING
            for one in self._tasks
        )

    def _held(self, task: _Task) -> bool:
        return any(
            one.group in task.after and one.cause != "done" for one in self._tasks
        )

    def _never(self, task: _Task) -> bool:
        return any(
            one.group in task.after and one.cause not in {"", "done"}
            for one in self._tasks
        )

    def _records(self) -> Iterator[Record]:
        for task in self._tasks:
            held = task.stage is Stage.WAITING and self._held(task)
            yield Record(
                number=task.number,
                job=task.job,
                indexes=(task.index,),
                stage=task.stage,
                cause=task.cause,
                code=task.code if task.stage is Stage.ENDED else 0,
                reason="Dependency" if held else "",
                queue=task.queue,
                tenant=task.tenant,
                cpus=task.cpus,
                restarts=task.restarts,
                node=task.node,
                held=held,
                priority=task.priority,
                began_at=task.began,
                ended_at=task.ended,
            )


class SimulatedSlurm(SlurmOperator):
    """
    The operator of batch services over one engine in memory.
    """

    def __init__(self, engine: SimulatedEngine, clock: Clock) -> None:
        super().__init__(_no_access, clock)
        self._engine = engine

    def interface(self, cluster: Cluster) -> Engine:
        """
        The one engine.
        """
        if cluster.group.name == CONTROLLER:
            return self._engine
        for slot in cluster.slot_names:
            if cluster.instance(slot) is not None:
                self._engine.join_once(slot)
        return self._engine


def _keep_nothing(job: str, task: int, code: int) -> None:
    """
    Nobody looks at results.
    """


def _no_access(service: Service) -> Access:
    raise LookupError(f"{service.name} is simulated: there is nothing to get into")
