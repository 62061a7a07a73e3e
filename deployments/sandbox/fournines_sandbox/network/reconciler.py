"""
The reconciler: makes the kernel's network what Neutron's database says.

It lives in Neutron's process, looks at every change, at every nudge of those who plug ports, and every few seconds. It is
level-triggered: each look reads everything and applies what differs, so a lost event or a death half way costs a look.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable

import pymysql
from pymysql.cursors import DictCursor

from fournines_sandbox import credentials
from fournines_sandbox.network import desired, guard, kernel, plug, snapshot, spaces, translation
from fournines_sandbox.network.nudge import listen
from fournines_sandbox.network.plug import Plug
from fournines_sandbox.network.snapshot import Snapshot
from fournines_sandbox.site import Site

LOG = logging.getLogger(__name__)

PERIOD_SECONDS = 5.0
"""How long a change nobody told of stays unnoticed."""

SECOND_LOOK_SECONDS = 0.3
"""Some of Neutron's events come a moment before the commit they speak of."""


class Reconciler:
    """
    The thread and what it applied last.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._woken = threading.Event()
        self._applied: dict[tuple[str, ...], str] = {}
        self._connection: pymysql.Connection[DictCursor] | None = None

    def wake(self) -> None:
        """
        Look at once.
        """
        self._woken.set()

    def run(self) -> None:
        """
        Look for ever.
        """
        again = 0.0
        while True:
            woken = self._woken.wait(again or PERIOD_SECONDS)
            self._woken.clear()
            again = SECOND_LOOK_SECONDS if woken else 0.0
            try:
                self.look()
            except Exception:
                # Whatever it was, the next look starts from what is; the thread must not die of it.
                LOG.exception("The data path could not be brought in line")
                self._connection = None
                self._applied.clear()
                time.sleep(1)

    def look(self) -> None:
        """
        Compare once and apply what differs.
        """
        seen = self._read()
        if not kernel.netns_exists(self._site.switch):
            plug.ensure_switch(self._site)
        self._uplink(seen)
        plugged = {item.port_id: item for item in plug.plugs(self._site)}
        self._routers(seen, plugged)
        self._guards(seen, plugged)
        self._spoofing(seen, plugged)
        self._host_routes(seen)
        self._once(
            ("networks",),
            str(sorted(seen.networks)),
            lambda: plug.remove_bridges_except(self._site, seen.networks),
        )

    def _read(self) -> Snapshot:
        if self._connection is None:
            self._connection = pymysql.connect(
                unix_socket=f"{self._site.run}/mariadb.sock",
                user="fournines",
                password=credentials.load(self._site).database,
                database="neutron",
                cursorclass=DictCursor,
            )
        return snapshot.read(self._connection)

    def _once(self, key: tuple[str, ...], state: str, apply: Callable[[], None]) -> None:
        """Apply unless exactly this was applied under this key before."""
        digest = hashlib.sha256(state.encode()).hexdigest()
        if self._applied.get(key) != digest:
            apply()
            self._applied[key] = digest

    def _uplink(self, seen: Snapshot) -> None:
        def connect() -> None:
            bridge = plug.ensure_bridge(self._site, seen.external[0])
            kernel.ip([f"link set uplink master {bridge} up"], self._site.switch)

        if seen.external:
            switch = str((kernel.NETNS_DIRECTORY / self._site.switch).stat().st_ino)
            self._once(("uplink",), f"{switch} {seen.external[0]}", connect)

    def _routers(self, seen: Snapshot, plugged: dict[str, Plug]) -> None:
        wanted = desired.router_spaces(self._site, seen)
        present = set(kernel.netns_names(self._site.netns("rt", "")))
        for netns in present - wanted.keys():
            kernel.delete_netns(netns)
        for netns, space in wanted.items():
            legs = [plugged.get(leg.port_id) for leg in space.legs]
            stale = [p for p in plugged.values() if p.netns == netns and p not in legs]
            indices = [leg.index if leg else None for leg in legs]
            if netns not in present or stale or None in indices:
                self._applied.pop(("router", netns), None)
            self._once(
                ("router", netns),
                f"{space}",
                lambda space=space, stale=stale: spaces.apply(self._site, space, stale),  # type: ignore[misc]
            )
        addresses = f"{[space.floating for space in wanted.values()]}"
        self._once(("neighbours",), addresses, lambda: spaces.forget_neighbours(self._site, wanted))

    def _guards(self, seen: Snapshot, plugged: dict[str, Plug]) -> None:
        for item in plugged.values():
            port = seen.ports.get(item.port_id)
            if port is None or item.netns.startswith(self._site.netns("rt", "")):
                continue
            rules = desired.guard_rules(seen, port)
            if rules is None:
                text = guard.removed(item.device)
            else:
                text = guard.rendered(item.device, rules)
            self._once(
                ("guard", item.port_id, str(item.index)),
                text,
                lambda text=text, netns=item.netns: kernel.nft(text, netns),  # type: ignore[misc]
            )
        gone = [
            key
            for key in self._applied
            if key[0] == "guard" and (key[1] not in plugged or str(plugged[key[1]].index) != key[2])
        ]
        for key in gone:
            del self._applied[key]

    def _spoofing(self, seen: Snapshot, plugged: dict[str, Plug]) -> None:
        guarded = {
            port_id
            for port_id, item in plugged.items()
            if not item.netns.startswith(self._site.netns("rt", ""))
        }
        taps = {port_id: plugged[port_id].tap for port_id in guarded}
        text = translation.switch(desired.spoofing(seen, guarded), taps)
        switch = str((kernel.NETNS_DIRECTORY / self._site.switch).stat().st_ino)
        self._once(("switch", switch), text, lambda: kernel.nft(text, self._site.switch))

    def _host_routes(self, seen: Snapshot) -> None:
        spaces.route_host(self._site, desired.host_routes(self._site, seen))


def start() -> Reconciler:
    """
    Start the thread and the ear for nudges in this process.
    """
    reconciler = Reconciler(Site.from_environment())
    ear = listen(reconciler._site)

    def hear() -> None:
        while True:
            ear.recv(64)
            reconciler.wake()

    threading.Thread(target=reconciler.run, name="reconciler", daemon=True).start()
    threading.Thread(target=hear, name="nudges", daemon=True).start()
    return reconciler
