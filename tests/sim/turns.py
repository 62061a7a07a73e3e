"""
Turns: many tasks in one thread, each in a greenlet, and a seed that decides who is next.

Whoever gives its turn away goes straight to the next one; a greenlet whose task has ended takes up another's. Both only save time. Time is virtual and passes only when nobody has anything to do now. A task gives its turn away where it sleeps, waits, or passes a point (a call of
the cloud, a commit of the store). Tasks belong to a process, which may be killed or stopped at any point, as a whole.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush

from greenlet import GreenletExit, getcurrent, greenlet

from fournines.cloud.simulated import Killed
from fournines.cloud.virtual_clock import EPOCH

YIELD_RATIO = 0.15
"""Of all points, where somebody else goes on."""


@dataclass(eq=False, slots=True)
class Process:
    """
    Tasks that live and die together.

    Attributes:
        kill_ratio, stop_ratio: Of the points it passes, where it dies, or is stopped.
        clock_offset: How many seconds its wall clock is wrong.
    """

    name: str
    dead: bool = False
    stopped_until: float = 0.0
    kill_ratio: float = 0.0
    stop_ratio: float = 0.0
    clock_offset: float = 0.0
    tasks: dict[Task, None] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Task:
    """
    One flow of control. `ticket` grows with every waking, so that outdated alarms are known; `glet` runs it once it has begun.
    """

    name: str
    process: Process
    act: Callable[[], object]
    glet: greenlet | None = None
    ticket: int = 0
    waiting: bool = False


class Turns:
    """
    The scheduler.

    Attributes:
        now: Virtual seconds since the beginning.
        effects: Points before or after something that changes the world; `doom` is the one at which its process dies.
        broken: What escaped from a task: a mistake of ours.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._draw = self.random.random
        self.now = 0.0
        self.current: Task | None = None
        self.points = 0
        self.doom: int | None = None
        self.effects = 0
        self.enough = False
        self.over = False
        self.broken: list[BaseException] = []
        self.on_kill: Callable[[Process], None] = lambda _process: None
        self.on_stop: Callable[[], None] = lambda: None
        self._hub = getcurrent()
        self._idle: list[greenlet] = []
        self._all: list[greenlet] = []
        self._end = 0.0
        self._ready: list[Task] = []
        self._first: list[Task] = []
        self._alarms: list[tuple[float, int, int, Task]] = []
        self._count = 0

    # -- from outside

    def run(self, seconds: float) -> None:
        """
        Let so many seconds pass, or fewer once a task says `enough` or breaks.
        """
        self._end = self.now + seconds
        self.enough = False
        self._go(self._next())
        self.current = None
        if not self.broken and not self.enough:
            self.now = self._end

    def close(self) -> None:
        """
        Nobody ever goes on. A greenlet that has begun is never collected with its world: it is ended.
        """
        self.over = True
        for glet in self._all:
            if not glet.dead:
                glet.throw(GreenletExit)
        for kept in (self._all, self._idle, self._ready, self._first, self._alarms):
            kept.clear()

    def _next(self) -> Task | None:
        """
        Whose turn it is; None: nobody's any more in this run.
        """
        if self.broken or self.enough:
            return None
        first, ready, alarms = self._first, self._ready, self._alarms
        while True:
            if first:
                task = first.pop()
            elif ready:
                if (count := len(ready)) > 1:
                    index = int(self._draw() * count)
                    ready[index], ready[-1] = ready[-1], ready[index]
                task = ready.pop()
            elif alarms and alarms[0][0] <= self._end:
                woken = self._woken()
                if woken is None:
                    continue
                task = woken
            else:
                return None
            process = task.process
            if process.dead or process.stopped_until <= self.now:
                return task
            self._alarm(task, process.stopped_until)
            task.waiting = True

    def _woken(self) -> Task | None:
        """
        Whose alarm rings next, if it still waits for it.
        """
        due, _, ticket, task = heappop(self._alarms)
        if task.ticket != ticket:
            return None
        self.now = max(self.now, due)
        if not task.waiting:
            return None
        task.waiting = False
        task.ticket += 1
        return task

    # -- tasks

    def spawn(
        self,
        name: str,
        process: Process,
        act: Callable[[], object],
        *,
        after_seconds: float = 0,
        at_once: bool = False,
    ) -> None:
        """
        Begin a task. `at_once`: it goes first, and whoever spawns it next.
        """
        if process.dead:
            raise Killed(name)

        task = Task(name, process, act)
        process.tasks[task] = None
        if after_seconds:
            task.waiting = True
            self._alarm(task, self.now + after_seconds)
        elif at_once and self.current is not None:
            self._first.append(self.current)
            self._first.append(task)
            self._away()
        else:
            self._ready.append(task)

    def _serve(self, task: Task) -> None:
        """
        A greenlet's life: one task after the other.
        """
        me = getcurrent()
        while True:
            task.glet = me
            self._perform(task)
            chosen = self._next()
            if chosen is None or chosen.glet is not None:
                self._idle.append(me)
                chosen = self._go(chosen)
            else:
                self.current = chosen
            assert chosen is not None
            task = chosen
            me.gr_context = None

    def _perform(self, task: Task) -> None:
        try:
            if not task.process.dead:
                task.act()
        except Killed:
            pass
        except GreenletExit:
            # The simulation is over, and nobody will ever go on with this task.
            raise
        except BaseException as error:  # noqa: BLE001  told to whoever runs the simulation
            self.broken.append(error)
        finally:
            task.process.tasks.pop(task, None)

    def _go(self, task: Task | None) -> Task | None:
        """
        Give the turn to a task, or to whoever runs the simulation; it comes back with a task for an idle greenlet.
        """
        self.current = task
        if task is None:
            given = self._hub.switch() if getcurrent() is not self._hub else None
        elif task.glet is not None:
            given = task.glet.switch()
        else:
            glet = self._idle.pop() if self._idle else self._one_more()
            given = glet.switch(task)
        return given

    def _one_more(self) -> greenlet:
        glet = greenlet(self._serve, self._hub)
        self._all.append(glet)
        return glet

    def wake(self, task: Task) -> None:
        """
        A task that waits may go on.
        """
        if task.waiting:
            task.waiting = False
            task.ticket += 1
            self._ready.append(task)

    def sleep(self, seconds: float) -> None:
        """
        Go on so much later.
        """
        end = self.now + seconds
        alarms = self._alarms
        alone = not (self._ready or self._first or (alarms and alarms[0][0] <= end))
        if alone and self._may_go_on(end):
            self.now = end
            return
        self.wait(seconds)
        while self.now < end:
            self.wait(end - self.now)

    def _may_go_on(self, end: float) -> bool:
        """
        Whether whoever sleeps until then, and has nobody before it, is the next one who does anything.
        """
        return not (
            end > self._end
            or self.over
            or self.broken
            or self.enough
            or self._me().process.dead
            or self._me().process.stopped_until > self.now
        )

    def wait(self, seconds: float | None = None) -> None:
        """
        Go on when somebody wakes us, perhaps for nothing, at the latest after so many seconds.
        """
        if self.over:
            raise GreenletExit
        task = self.current
        assert task is not None, "only tasks wait"
        task.waiting = True
        if seconds is not None:
            due = self.now + seconds if seconds > 0 else self.now
            self._count += 1
            heappush(self._alarms, (due, self._count, task.ticket, task))
        self._away()

    def point(self, label: str, *, effect: bool = False) -> None:
        """
        A moment at which anything may happen to the process, or somebody else goes on. `effect`: before or after something that changes the world.
        """
        if self.over:
            raise GreenletExit
        task = self.current
        if task is None:
            return
        process = task.process
        if process.dead:
            raise Killed(label)
        if effect:
            self.effects += 1
            if self.doom is not None and self.effects > self.doom:
                self.doom = None
                self.kill(process)
                raise Killed(label)
        self.points += 1
        chance = self._draw()
        if chance < process.kill_ratio:
            self.kill(process)
            raise Killed(label)
        chance -= process.kill_ratio
        if chance < process.stop_ratio:
            self.stop(process, self.random.choice((0.5, 3, 6, 20, 60)))
        elif chance > YIELD_RATIO:
            return
        self._ready.append(task)
        self._away()

    def _alarm(self, task: Task, due: float) -> None:
        self._count += 1
        heappush(self._alarms, (due, self._count, task.ticket, task))

    def _me(self) -> Task:
        assert self.current is not None, "only tasks wait"
        return self.current

    def _away(self) -> None:
        task = self.current
        assert task is not None, "only tasks wait"
        chosen = self._next()
        if chosen is not task:
            if chosen is not None and chosen.glet is not None:
                self.current = chosen
                chosen.glet.switch()
            else:
                self._go(chosen)
        if task.process.dead:
            raise Killed(task.name)

    # -- processes

    def kill(self, process: Process) -> None:
        """
        As `kill -9`: none of its tasks has another effect.
        """
        if process.dead:
            return
        process.dead = True
        for task in process.tasks:
            if task is not self.current:
                self.wake(task)
        self.on_kill(process)

    def stop(self, process: Process, seconds: float) -> None:
        """
        As SIGSTOP, and SIGCONT so much later.
        """
        self.on_stop()
        process.stopped_until = max(process.stopped_until, self.now + seconds)


class TurnClock:
    """
    `Clock` of a process, or the true one.
    """

    def __init__(self, turns: Turns, process: Process | None = None) -> None:
        self._turns = turns
        self._process = process
        self._seconds, self._told = 0.0, EPOCH

    def now(self) -> datetime:
        """
        The present as this process believes it to be.
        """
        seconds = self._turns.now
        if self._process is not None:
            seconds += self._process.clock_offset
        if self._seconds != seconds:
            self._seconds, self._told = seconds, EPOCH + timedelta(seconds=seconds)
        return self._told

    def monotonic(self) -> float:
        """
        Seconds since the beginning.
        """
        return self._turns.now

    def sleep(self, seconds: float) -> None:
        """
        Give the turn away.
        """
        self._turns.sleep(seconds)
