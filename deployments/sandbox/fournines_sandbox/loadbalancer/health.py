"""
Operating statuses from what HAProxy reports, as Octavia's health manager derives them from an amphora's heartbeat. Pure.

Member: UP is ONLINE, DOWN is ERROR, weight 0 is DRAINING, disabled is OFFLINE, without a monitor NO_MONITOR. A pool
with a member in ERROR is DEGRADED, one without any that works is ERROR, one that no listener uses is OFFLINE; the load
balancer is as its worst pool.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from octavia.common import constants
from octavia_lib.common import constants as lib_constants

from fournines_sandbox.loadbalancer.settlement import Statuses

_GONE = (constants.PENDING_DELETE, constants.DELETED)

_COUNTERS = {
    "bytes_in": "bin",
    "bytes_out": "bout",
    "active_connections": "scur",
    "total_connections": "stot",
    "request_errors": "ereq",
}


@dataclass(slots=True)
class View:
    """
    What Octavia's database holds of one load balancer's health; brought up to date as changes are reported.

    Args:
        identifier: The load balancer's id.
        enabled: Its admin state.
        status: Its operating status.
        listeners: Operating status by id.
        disabled: Ids of listeners that are switched off.
        pools: Operating status by id.
        members: Operating status by pool's and member's id.
    """

    identifier: str
    enabled: bool
    status: str
    listeners: dict[str, str] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    pools: dict[str, str] = field(default_factory=dict)
    members: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, load_balancer: Any) -> View:
        """
        The view of a tree as it was read from the database.
        """
        view = cls(load_balancer.id, load_balancer.enabled, load_balancer.operating_status)
        for listener in load_balancer.listeners:
            if listener.provisioning_status not in _GONE:
                view.listeners[listener.id] = listener.operating_status
                if not listener.enabled:
                    view.disabled.add(listener.id)
        for pool in load_balancer.pools:
            if pool.provisioning_status in _GONE:
                continue
            view.pools[pool.id] = pool.operating_status
            for member in pool.members:
                if member.provisioning_status not in _GONE:
                    view.members[pool.id, member.id] = member.operating_status
        return view

    def changes(self, rows: Iterable[Mapping[str, str]]) -> Statuses:
        """
        What differs from the database according to HAProxy's statistics; the view takes it over.
        """
        report = _Report.of(rows)
        result: Statuses = {}
        worst = constants.ONLINE if self.enabled else constants.OFFLINE
        for identifier, known in self.listeners.items():
            status = self._listener(identifier, report)
            if status == constants.DEGRADED and worst == constants.ONLINE:
                worst = constants.DEGRADED
            if status != known:
                self.listeners[identifier] = status
                _add(result, lib_constants.LISTENERS, identifier, status)
        for identifier, known in self.pools.items():
            status = self._pool(identifier, report, result)
            if status == constants.ERROR:
                worst = constants.ERROR
            elif status == constants.DEGRADED and worst == constants.ONLINE:
                worst = constants.DEGRADED
            if status != known:
                self.pools[identifier] = status
                _add(result, lib_constants.POOLS, identifier, status)
        if worst != self.status:
            self.status = worst
            _add(result, lib_constants.LOADBALANCERS, self.identifier, worst)
        return result

    def _listener(self, identifier: str, report: _Report) -> str:
        if identifier in self.disabled or not self.enabled:
            return constants.OFFLINE
        match report.listeners.get(identifier):
            case None:
                return constants.ERROR
            case constants.OPEN:
                return constants.ONLINE
            case _:
                return constants.DEGRADED

    def _pool(self, identifier: str, report: _Report, result: Statuses) -> str:
        reported = report.pools.get(identifier)
        if reported is None:
            return constants.OFFLINE
        status = constants.ONLINE if reported.startswith(constants.UP) else constants.ERROR
        for (pool, member), known in self.members.items():
            if pool != identifier:
                continue
            now = _member(report.members.get((pool, member)), known)
            if now == constants.ERROR and status == constants.ONLINE:
                status = constants.DEGRADED
            if now != known:
                self.members[pool, member] = now
                _add(result, lib_constants.MEMBERS, member, now)
        return status


@dataclass(slots=True)
class _Report:
    listeners: dict[str, str] = field(default_factory=dict)
    pools: dict[str, str] = field(default_factory=dict)
    members: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, str]]) -> _Report:
        report = cls()
        for row in rows:
            status = row["status"]
            pool = row["pxname"].partition(":")[0]
            if row["svname"] == "FRONTEND":
                report.listeners[pool] = status
            elif row["svname"] == "BACKEND":
                report.pools[pool] = status
            else:
                # HAProxy calls a healthy server of weight 0 UP in some versions.
                drained = status == constants.UP and row["weight"] == "0"
                report.members[pool, row["svname"]] = constants.DRAIN if drained else status
        return report


def parse(statistics: str) -> list[dict[str, str]]:
    """
    The rows of HAProxy's `show stat`, without the proxies that serve the metrics.
    """
    rows = csv.DictReader(statistics.removeprefix("# ").splitlines())
    return [row for row in rows if "prometheus" not in row["pxname"]]


def counters(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """
    Octavia's traffic statistics by listener.
    """
    return {
        row["pxname"]: {name: int(row[column] or 0) for name, column in _COUNTERS.items()}
        for row in rows
        if row["svname"] == "FRONTEND"
    }


def _member(reported: str | None, known: str) -> str:
    if reported is None:
        return known if known == constants.NO_MONITOR else constants.OFFLINE
    if reported.startswith(constants.UP):
        return constants.ONLINE
    if reported.startswith(constants.DOWN):
        return constants.ERROR
    return {
        constants.DRAIN: constants.DRAINING,
        constants.MAINT: constants.OFFLINE,
        constants.NO_CHECK: constants.NO_MONITOR,
    }.get(reported, known)


def _add(result: Statuses, kind: str, identifier: str, status: str) -> None:
    entry = {lib_constants.ID: identifier, lib_constants.OPERATING_STATUS: status}
    result.setdefault(kind, []).append(entry)
