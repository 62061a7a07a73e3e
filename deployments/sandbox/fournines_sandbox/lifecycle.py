"""
A cloud's life: up, down, reset, and what state it is in.

Every step of `up` may find its work done already, so `up` after anything (a clean stop, a crash, half an `up`) ends in
the same running cloud.
"""

from __future__ import annotations

import http.client
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fournines_sandbox import (
    clouds,
    credentials,
    database,
    depot,
    image,
    limits,
    needs,
    seed,
    supervision,
    sweep,
)
from fournines_sandbox.configuration import files
from fournines_sandbox.faults import outages, timers
from fournines_sandbox.network import plug
from fournines_sandbox.site import Site

_ANSWER_SECONDS_MAX = 600
"""Twenty seconds on an idle machine; thirty times that means that it will not come."""

Say = Callable[[str], None]


class StartError(RuntimeError):
    """
    A service does not answer; the message names it and its log.
    """


@dataclass(frozen=True, slots=True)
class Progress:
    """
    Where progress lines go.
    """

    say: Say

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """
        Say what was done and how many seconds it took.
        """
        started = time.monotonic()
        yield
        self.say(f"{title} ({time.monotonic() - started:.1f} s)")


def up(site: Site, clouds_file: Path, say: Say) -> None:
    """
    Bring the cloud up, or make sure that it is.
    """
    progress = Progress(say)
    needs.check(site)
    for directory in (site.etc, site.run, site.log, site.state, site.cache):
        directory.mkdir(parents=True, exist_ok=True)

    if not supervision.running(site):
        with progress.step("leftovers of an earlier run cleared"):
            sweep.before_start(site)
        needs.check_ports(site)
    secrets = credentials.load(site)
    files.write(site, secrets)
    database.write_accounts(site, secrets)
    seed.write_keys(site)

    with ThreadPoolExecutor(1) as background:
        # Debian's archive and the migrations keep different parts of the machine busy.
        making = background.submit(image.ensure, site, say)
        if not database.exists(site):
            how = "unpacked" if database.cached(site) else "migrated, a few minutes the first time"
            with progress.step(f"database {how}"):
                database.create(site)
        making.result()

    # Nobody needs it before the cloud is up, and downloading leaves the processors free.
    depots = ThreadPoolExecutor(1)
    stocking = depots.submit(depot.ensured, site, say)
    depots.shutdown(wait=False)
    limits.ensure()
    with progress.step("bridges"):
        plug.ensure_switch(site)
    supervision.write(site)
    with progress.step("processes started"):
        supervision.start(site)
        supervision.reload(site)
        for what in outages.PROCESSES:
            outages.mend(site, what)
    if not seed.seeded(site):
        with progress.step("Keystone's first user"):
            database.wait(site)
            seed.bootstrap(site, secrets)
        _wait(site, ("keystone",), progress)
        with progress.step("users and catalogue"):
            seed.identities(site, secrets)
    _wait(site, supervision.SERVICES, progress)
    if not seed.seeded(site):
        with progress.step("flavors, networks, image"):
            seed.resources(site, secrets, say)
    for path in {clouds_file, site.home / "clouds.yaml"}:
        clouds.merge(path, site, secrets)
    if not stocking.done():
        with progress.step("packages for baking images downloaded"):
            stocking.result()


def down(site: Site, say: Say) -> None:
    """
    Stop the cloud and leave nothing of it on the machine but its directory.
    """
    progress = Progress(say)
    timers.disarm_all(site)
    with progress.step("processes stopped"):
        supervision.stop(site)
    with progress.step("instances, namespaces, bridges and mounts removed"):
        sweep.everything(site)
    if site.run.exists():
        shutil.rmtree(site.run)


def reset(site: Site, say: Say) -> None:
    """
    Stop the cloud and forget its state; what is expensive to make stays cached.
    """
    down(site, say)
    for directory in (site.state, site.etc, site.log):
        if directory.exists():
            shutil.rmtree(directory)


def answering(site: Site, service: str) -> bool:
    """
    Whether a service answers HTTP, whatever the answer.
    """
    connection = http.client.HTTPConnection("127.0.0.1", site.port(service), timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _wait(site: Site, services: tuple[str, ...], progress: Progress) -> None:
    deadline = time.monotonic() + _ANSWER_SECONDS_MAX
    started = time.monotonic()
    waiting = [name for name in services if name in supervision.programs(site)]
    while waiting:
        for name in list(waiting):
            if answering(site, name):
                waiting.remove(name)
                progress.say(f"{name} answers ({time.monotonic() - started:.1f} s)")
        if waiting and time.monotonic() > deadline:
            raise StartError(
                f"{', '.join(waiting)} did not answer within {_ANSWER_SECONDS_MAX} s; "
                f"see {site.log}/{waiting[0]}.log"
            )
        time.sleep(0.2)
