"""
The operator of PostgreSQL: Patroni's REST API for the data, etcd's for the votes. TLS with the platform's CA on both.

Patroni itself follows a dead primary; here is what it leaves to others: handing over before a member goes, settings, users and databases, a
vote that is gone for ever, a copy that cannot catch up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from blueprints.postgres import objects, reading, settings
from blueprints.postgres.reading import Place, Votes
from fournines import log
from fournines.clock import Clock
from fournines.model.cluster import ClusterView
from fournines.model.contents import ContentChange
from fournines.model.desired import Service
from tasks.operators import (
    Cluster,
    ClusterRefused,
    ClusterSilent,
    doors,
    postgres_objects,
)
from tasks.operators.access import Access
from tasks.operators.http import Api, Login

PATRONI_PORT = 8008
ETCD_PORT = 2379
DATABASE_PORT = 5432
POOLER_PORT = 6432

LOST_BYTES = 256 << 20
"""A replica further behind has lost the log it would need (max_slot_wal_keep_size): it is copied anew."""

STRANDED_SECONDS = 10.0
"""Patroni looks every two seconds whether a replica has to rewind; one that is on an older timeline after several of its looks never will."""

POLL_SECONDS = 0.25

_SWITCH_SECONDS = 30.0
"""Patroni answers a switchover when it is over."""

_log = log.get("postgres")


class PostgresOperator:
    """
    One for all PostgreSQL services. Thread-safe: it keeps nothing.

    Args:
        access: Gives a service's CA, secrets and our own certificate for it.
        refuses: Tells whether nobody listens at a port of an address.
    """

    def __init__(
        self,
        access: Callable[[Service], Access],
        clock: Clock,
        *,
        poll_seconds: float = POLL_SECONDS,
        refuses: Callable[[str, int], bool] = doors.refuses,
    ) -> None:
        self._access = access
        self._refuses = refuses
        self._clock = clock
        self._poll_seconds = poll_seconds

    def view(self, cluster: Cluster) -> ClusterView:
        patroni = self._cluster(cluster)
        parameters = cluster.service.parameters
        votes = self._votes(cluster)
        return reading.view(
            (cluster.service.platform, cluster.service.name, cluster.group.name),
            self._clock.now(),
            {slot: self._place(cluster, slot) for slot in cluster.slot_names},
            patroni,
            votes,
            voters=_voters(cluster),
            synchronous=bool(parameters.get("synchronous")),
        )

    def leave(self, cluster: Cluster, slot: str, *, deadline_seconds: float) -> None:
        """
        Hand over what the member leads; a replica just goes, and Patroni lets commits wait for another one.
        """
        end = self._clock.now() + timedelta(seconds=deadline_seconds)
        said = self._members(cluster)
        if said.get(slot, {}).get("role") != "leader" or len(said) == 1:
            return
        self.switchover(cluster, None)
        while True:
            said = self._members(cluster)
            led = [n for n, m in said.items() if m.get("role") == "leader"]
            if led and led != [slot] and said[led[0]].get("state") == "running":
                return
            if self._clock.now() >= end:
                raise ClusterSilent(
                    f"handing over from {slot}", "nobody leads in its place yet"
                )
            self._clock.sleep(self._poll_seconds)

    def stay(self, cluster: Cluster, slot: str) -> None:
        """
        Nothing: who handed over is a replica now, and does that well.
        """

    def admitted(self, cluster: Cluster, slot: str) -> bool:
        """
        Whether Patroni has it among the running; a copy that cannot come up or catch up is made anew.
        """
        said = self._members(cluster).get(slot)
        if said is None:
            return False
        lag = said.get("lag")
        is_lost = isinstance(lag, int) and lag > LOST_BYTES
        is_lost = is_lost or self._is_stranded(cluster, slot)
        if said.get("role") != "leader" and (
            is_lost or said.get("state") in {"start failed", "crashed"}
        ):
            _log.warning("copied_anew", slot=slot, state=said.get("state"), lag=lag)
            self._patroni(cluster).order(
                _address(cluster, slot),
                "/reinitialize",
                method="POST",
                body={"force": True},
                doing=f"copying {slot} anew",
            )
            return False
        return said.get("state") in {"running", "streaming"}

    def _is_stranded(self, cluster: Cluster, slot: str) -> bool:
        """
        Whether a replica runs on a timeline that its leader has left, and stays there: what it has beyond the fork was acknowledged to nobody, and
        Patroni 3.0 may overlook that after a crash.
        """
        for look in range(2):
            if look:
                self._clock.sleep(STRANDED_SECONDS)
            members = self._members(cluster)
            leader = next(
                (m for m in members.values() if m.get("role") == "leader"), None
            )
            own = members.get(slot, {})
            here, there = own.get("timeline"), (leader or {}).get("timeline")
            if not isinstance(here, int) or not isinstance(there, int):
                return False
            if here >= there or own.get("state") != "running":
                return False
        return True

    def remove(self, cluster: Cluster, slot: str) -> None:
        etcd = self._etcd(cluster)
        addresses = _voting_addresses(cluster)
        listed = etcd.ask_any(addresses.values(), "/v2/members").json()
        for member in listed.get("members", ()):
            if member.get("name") == slot:
                others = [a for s, a in addresses.items() if s != slot]
                etcd.ask_any(
                    others,
                    f"/v2/members/{member['id']}",
                    method="DELETE",
                    doing=f"taking the vote of {slot} away",
                )

    def apply(self, cluster: Cluster) -> tuple[str, ...]:
        return (*self.apply_settings(cluster), *self.apply_objects(cluster))

    def drift(self, cluster: Cluster) -> tuple[ContentChange, ...]:
        change, present = self._settings(cluster)
        lacking = postgres_objects.lacking(*self._objects(cluster))
        return (
            *settings.in_words(change, present),
            *(
                ContentChange(said=objects.in_words(one), login=objects.let_in_by(one))
                for one in lacking
            ),
        )

    def switchover(self, cluster: Cluster, to: str | None) -> str:
        """
        Have the sync standby lead; it alone has everything that was acknowledged.
        """
        said = self._members(cluster)
        leader = next((n for n, m in said.items() if m.get("role") == "leader"), None)
        heirs = [n for n, m in said.items() if m.get("role") in _heirs_of(cluster)]
        attempted = f"switching {cluster.label} over"
        if to is not None and leader == to:
            return to
        if leader is None or not heirs:
            lacking = "nobody leads" if leader is None else "no other member is in sync"
            raise ClusterRefused(attempted, f"{lacking} now")
        if to is not None and to not in heirs:
            raise ClusterRefused(
                attempted,
                f"{to} has not everything: {' or '.join(heirs)} has; name it, or leave --to out",
            )
        heir = to or heirs[0]
        self._patroni(cluster).order(
            _address(cluster, leader),
            "/switchover",
            method="POST",
            body={"leader": leader, "candidate": heir},
            doing=attempted,
            timeout_seconds=_SWITCH_SECONDS,
        )
        return heir

    def restart(self, cluster: Cluster, slot: str) -> None:
        self._patroni(cluster).order(
            _address(cluster, slot),
            "/restart",
            method="POST",
            body={},
            doing=f"restarting PostgreSQL in {slot}",
            timeout_seconds=_SWITCH_SECONDS,
        )

    # -- parts

    def _place(self, cluster: Cluster, slot: str) -> Place:
        instance, address = cluster.instance(slot), cluster.address(slot)
        return Place(
            instance=instance.name if instance else None,
            address=address,
            pooler_refuses=address is not None and self._refuses(address, POOLER_PORT),
        )

    def apply_settings(self, cluster: Cluster) -> tuple[str, ...]:
        """
        Bring Patroni's configuration to what was asked for; Patroni has every member take it.
        """
        change, present = self._settings(cluster)
        if change:
            self._patroni(cluster).ask_any(
                cluster.addresses().values(),
                "/config",
                method="PATCH",
                body=change,
                doing=f"changing settings of {cluster.label}",
            )
        return tuple(one.said for one in settings.in_words(change, present))

    def _settings(
        self, cluster: Cluster
    ) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
        """
        What Patroni's configuration must be told, and what it is.
        """
        parameters: Any = cluster.service.parameters
        addresses = cluster.addresses().values()
        present = self._patroni(cluster).ask_any(addresses, "/config").json()
        change = settings.patch(
            parameters["settings"],
            present,
            synchronous=bool(parameters["synchronous"]) and cluster.group.count > 1,
        )
        return change, present

    def apply_objects(self, cluster: Cluster) -> tuple[str, ...]:
        """
        Bring users, databases and extensions to what was asked for.
        """
        changed = postgres_objects.apply(*self._objects(cluster))
        return tuple(objects.in_words(change) for change in changed)

    def _objects(
        self, cluster: Cluster
    ) -> tuple[postgres_objects.Server, objects.Asked, Callable[[str], str]]:
        """
        The primary, what is asked for there, and whose passwords are which.
        """
        said = self._members(cluster)
        leader = next((n for n, m in said.items() if m.get("role") == "leader"), None)
        if leader is None:
            raise ClusterSilent(
                f"making databases and users of {cluster.label}", "nobody leads now"
            )
        access = self._access(cluster.service)
        server = postgres_objects.Server(
            host=_address(cluster, leader),
            port=DATABASE_PORT,
            password=access.secret("superuser"),
            ca=access.ca,
        )
        # Read once, for a rotation may begin meanwhile.
        users = cluster.service.parameters["users"]
        assert isinstance(users, Mapping)
        logins = {user: access.logins(user) for user in users}
        passwords = {
            name: one for each in logins.values() for name, one in each.items()
        }
        passwords[objects.OURS] = access.secret(f"user-{objects.OURS}")
        asked = objects.asked_for(cluster.service.parameters, logins.__getitem__)
        return server, asked, passwords.__getitem__

    def _cluster(self, cluster: Cluster) -> dict[str, Any]:
        answer = self._patroni(cluster).ask_any(
            cluster.addresses().values(),
            "/cluster",
            doing=f"asking {cluster.label} for its members",
        )
        found = answer.json()
        return found if isinstance(found, dict) else {}

    def _members(self, cluster: Cluster) -> dict[str, dict[str, Any]]:
        return {m["name"]: m for m in self._cluster(cluster).get("members", ())}

    def _votes(self, cluster: Cluster) -> Votes:
        etcd = self._etcd(cluster)
        addresses = _voting_addresses(cluster)
        healthy = frozenset(
            slot for slot, address in addresses.items() if _votes_now(etcd, address)
        )
        asked = [addresses[s] for s in (*sorted(healthy), *addresses)]
        try:
            listed = etcd.ask_any(dict.fromkeys(asked), "/v2/members").json()
        except ClusterSilent:
            return Votes(None, healthy)
        names = (m.get("name") for m in listed.get("members", ()))
        return Votes(tuple(sorted(n for n in names if n)), healthy)

    def _patroni(self, cluster: Cluster) -> Api:
        access = self._access(cluster.service)
        return Api(
            PATRONI_PORT,
            ca=access.ca,
            login=Login("fournines", access.secret("rest")),
        )

    def _etcd(self, cluster: Cluster) -> Api:
        access = self._access(cluster.service)
        certificate, key = access.certificate()
        # The TLS library takes files alone; they are gone before the first request.
        with tempfile.TemporaryDirectory() as folder:
            paths = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
            for path, text in zip(paths, (certificate, key), strict=True):
                path.touch(0o600)
                path.write_text(text)
            return Api(
                ETCD_PORT,
                ca=access.ca,
                certificate=(str(paths[0]), str(paths[1])),
            )


def _votes_now(etcd: Api, address: str) -> bool:
    try:
        answer = etcd.ask(address, "/health")
    except ClusterSilent:
        return False
    return answer.is_success and answer.json().get("health") == "true"


def _heirs_of(cluster: Cluster) -> frozenset[str]:
    """
    Patroni's words for those it lets lead at once.
    """
    if cluster.service.parameters.get("synchronous"):
        return frozenset({"sync_standby"})
    return frozenset({"sync_standby", "replica"})


def _voters(cluster: Cluster) -> int:
    found = cluster.service.parameters.get("voters")
    assert isinstance(found, int)
    return found


def _voting_addresses(cluster: Cluster) -> dict[str, str]:
    addresses = cluster.addresses()
    voting = cluster.slot_names[: _voters(cluster)]
    return {slot: addresses[slot] for slot in voting if slot in addresses}


def _address(cluster: Cluster, slot: str) -> str:
    address = cluster.address(slot)
    if address is None:
        raise ClusterSilent(f"asking {slot}", "it has no address")
    return address
