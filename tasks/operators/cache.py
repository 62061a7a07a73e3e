"""
Redis and its Sentinels as an operator sees them, each asked directly.

The primary is whom a majority of the Sentinels name, not whom a Redis takes itself for: one that was frozen or cut off still believes it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fournines.clock import Clock
from fournines.model.cluster import ClusterMember, ClusterView, Role, Standing, majority
from fournines.model.contents import ContentChange
from fournines.model.desired import Service
from tasks.operators import (
    Cluster,
    ClusterRefused,
    ClusterSilent,
    cache_clients,
    cache_complaints,
    places,
)
from tasks.operators.access import Access
from tasks.operators.redis_line import Line, RedisLine

REDIS_PORT, SENTINEL_PORT = 6379, 26379
SET = "primary"
"""What the Sentinels call the members all together."""

OPERATOR = "fournines"
LAG_BYTES_MAX = 1 << 20
"""A replica that is a megabyte behind has missed milliseconds of a busy primary; a cache loses no more than that with it."""

PAUSE_MS = 5_000
"""Writes wait so long at most while a replica catches up and takes over."""

_POLL_SECONDS = 0.2
_SWITCH_SECONDS = 30.0
_REPLICA = re.compile(r"slave\d+")


@dataclass(frozen=True, slots=True)
class _Seen:
    """
    One member: what its Redis says (empty: nothing), whom its Sentinel follows, and which Sentinels and replicas that knows.
    """

    info: Mapping[str, Any]
    follows: str | None
    sentinels: frozenset[str]
    replicas: frozenset[str]


def connect(access: Access, address: str, port: int) -> Line:
    """
    A line as the platform's own user.
    """
    user = OPERATOR if port == REDIS_PORT else "default"
    return RedisLine(
        address, port, user=user, password=access.secret("operator"), ca=access.ca
    )


class CacheOperator:
    """
    `Operator` for the `cache` template.

    Args:
        access: Gives a service's CA and credentials.
        connect: Opens a line to an address and a port.
    """

    def __init__(
        self,
        access: Callable[[Service], Access],
        clock: Clock,
        connect: Callable[[Access, str, int], Line] = connect,
    ) -> None:
        self._access = access
        self._clock = clock
        self._connect = connect

    # -- what it says of itself

    def view(self, cluster: Cluster) -> ClusterView:
        addresses = places.addresses(cluster)
        seen = self._look(cluster)
        primary = _agreed(seen)
        members = tuple(
            _member(cluster, slot, addresses.get(slot), seen, primary)
            for slot in cluster.slot_names
        )
        voters = _voters(seen)
        slots = {address: slot for slot, address in addresses.items()}
        infos = {address: one.info for address, one in seen.items()}
        return ClusterView(
            platform=cluster.service.platform,
            service=cluster.service.name,
            group=cluster.group.name,
            at=self._clock.now(),
            members=members,
            voters=voters,
            quorum=majority(voters),
            leader=slots.get(primary or ""),
            problems=tuple(cache_complaints.problems(cluster, infos, primary)),
            split=cache_complaints.split(cluster, infos, slots),
        )

    def _look(self, cluster: Cluster) -> dict[str, _Seen]:
        """
        All members by address.

        Raises:
            ClusterSilent: None says anything.
        """
        found = {
            address: self._look_at(cluster, address)
            for address in cluster.addresses().values()
        }
        if not any(one.info or one.follows for one in found.values()):
            raise ClusterSilent(
                f"asking {cluster.label} how it is", "no Redis and no Sentinel answers"
            )
        return found

    def _look_at(self, cluster: Cluster, address: str) -> _Seen:
        info: Mapping[str, Any] = {}
        follows: str | None = None
        sentinels: frozenset[str] = frozenset()
        replicas: frozenset[str] = frozenset()
        silence = suppress(ClusterSilent, ClusterRefused)
        with silence, self._redis(cluster, address) as server:
            info = server.info()
        with silence, self._sentinel(cluster, address) as sentinel:
            answer = sentinel.say("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SET)
            follows = str(answer[0]) if answer else None
            sentinels = _others(sentinel.say("SENTINEL", "SENTINELS", SET))
            replicas = _others(sentinel.say("SENTINEL", "REPLICAS", SET))
        return _Seen(info, follows, sentinels, replicas)

    # -- coming and going

    def leave(self, cluster: Cluster, slot: str, *, deadline_seconds: float) -> None:
        address = cluster.address(slot)
        end = self._clock.monotonic() + deadline_seconds
        while self._clock.monotonic() < end:
            seen = self._look(cluster)
            primary = _agreed(seen)
            if primary is not None and primary != address:
                return
            if primary is not None:
                self._hand_over(cluster, primary, seen, end)
            self._clock.sleep(_POLL_SECONDS)
        raise ClusterRefused(
            f"handing over what {slot} leads", "no other member became the primary"
        )

    def _hand_over(
        self, cluster: Cluster, primary: str, seen: Mapping[str, _Seen], end: float
    ) -> None:
        """
        Hold writes back until a replica has all of them, then have the Sentinels choose; nothing acknowledged is lost on the way.
        """
        helpers = [a for a, one in seen.items() if a != primary and one.follows]
        with self._redis(cluster, primary) as server:
            server.say("CLIENT", "PAUSE", str(PAUSE_MS), "WRITE")
            self._await_caught_up(server, end)
        try:
            with self._sentinel(cluster, helpers[0] if helpers else primary) as asked:
                asked.say("SENTINEL", "FAILOVER", SET)
        except ClusterRefused as refused:
            # They may be choosing already.
            if "INPROG" not in refused.detail:
                raise
        self._await_other(cluster, primary, min(end, self._clock.monotonic() + 10))

    def _await_caught_up(self, server: Line, end: float) -> None:
        limit = min(end, self._clock.monotonic() + PAUSE_MS / 2_000)
        while self._clock.monotonic() < limit:
            info = server.info()
            replicas = [v for k, v in info.items() if _REPLICA.fullmatch(k)]
            if info["master_repl_offset"] in [one["offset"] for one in replicas]:
                return
            self._clock.sleep(0.02)

    def _await_other(self, cluster: Cluster, primary: str, end: float) -> None:
        while self._clock.monotonic() < end:
            if _agreed(self._look(cluster)) not in {None, primary}:
                return
            self._clock.sleep(_POLL_SECONDS)

    def stay(self, cluster: Cluster, slot: str) -> None:
        """
        What was handed over stays where it is: any member may lead.
        """

    def admitted(self, cluster: Cluster, slot: str) -> bool:
        """
        Replicas and Sentinels find each other.
        """
        return cluster.address(slot) is not None

    def remove(self, cluster: Cluster, slot: str) -> None:
        kept = {a for s, a in places.addresses(cluster).items() if s != slot}
        for address in sorted(kept):
            one = self._look_at(cluster, address)
            if one.follows is None or not (one.sentinels | one.replicas) - kept:
                continue
            with self._sentinel(cluster, address) as sentinel:
                sentinel.say("SENTINEL", "RESET", SET)
            self._await_known(cluster, address, kept)

    def _await_known(self, cluster: Cluster, address: str, kept: set[str]) -> None:
        """
        A Sentinel that was reset knows nobody for two seconds: the next one is reset when this one counts again.
        """
        end = self._clock.monotonic() + 30
        while self._clock.monotonic() < end:
            if len(self._look_at(cluster, address).sentinels) >= len(kept) - 1:
                return
            self._clock.sleep(_POLL_SECONDS)
        raise ClusterSilent(
            f"resetting the Sentinel at {address}", "it does not find the others again"
        )

    def apply(self, cluster: Cluster) -> tuple[str, ...]:
        """
        Let clients in with the password of the store, beside the one that a member was started with. All else stands in the instances: a change
        rolls them, the primary last and by handing over.
        """
        lacking, password = self._strangers(cluster)
        for address in lacking.values():
            cache_clients.let_in(address, password, self._opened(cluster))
        return tuple(map(cache_clients.in_words, lacking))

    def drift(self, cluster: Cluster) -> tuple[ContentChange, ...]:
        lacking, _ = self._strangers(cluster)
        return tuple(ContentChange(said=cache_clients.in_words(s)) for s in lacking)

    def _strangers(self, cluster: Cluster) -> tuple[dict[str, str], str]:
        password = self._access(cluster.service).secret("password")
        found = cache_clients.strangers(
            cluster.addresses(), password, self._opened(cluster)
        )
        return found, password

    def _opened(self, cluster: Cluster) -> cache_clients.Open:
        return lambda address: self._redis(cluster, address)

    def switchover(self, cluster: Cluster, to: str | None) -> str:
        slots = {a: s for s, a in places.addresses(cluster).items()}
        seen = self._look(cluster)
        primary = _agreed(seen)
        attempted = f"switching {cluster.label} over"
        if primary is None:
            raise ClusterSilent(attempted, "no majority of the Sentinels agrees")
        if to is not None and slots.get(primary) == to:
            return to
        if to is not None:
            raise ClusterRefused(
                attempted,
                f"Sentinels choose the replica that has most, and may not choose {to}; leave --to out",
            )
        end = self._clock.monotonic() + _SWITCH_SECONDS
        self._hand_over(cluster, primary, seen, end)
        heir = _agreed(self._look(cluster))
        if heir in {None, primary}:
            raise ClusterRefused(attempted, "no other member became the primary")
        return slots.get(str(heir), str(heir))

    def restart(self, cluster: Cluster, slot: str) -> None:
        raise ClusterRefused(
            f"restarting {slot} of {cluster.label}",
            "a cache has no settings that wait for it: a change rolls its members",
        )

    # -- lines

    def _redis(self, cluster: Cluster, address: str) -> Line:
        return self._connect(self._access(cluster.service), address, REDIS_PORT)

    def _sentinel(self, cluster: Cluster, address: str) -> Line:
        return self._connect(self._access(cluster.service), address, SENTINEL_PORT)


def _others(answer: Any) -> frozenset[str]:
    """
    The addresses in a Sentinel's list, whose entries are mappings or flat lists of keys and values.
    """
    found = set()
    for entry in answer or ():
        words = (
            entry
            if isinstance(entry, Mapping)
            else dict(zip(entry[::2], entry[1::2], strict=False))
        )
        found.add(str(words["ip"]))
    return frozenset(found)


def _agreed(seen: Mapping[str, _Seen]) -> str | None:
    """
    Whom a majority of the Sentinels follow.
    """
    words = Counter(one.follows for one in seen.values() if one.follows)
    for address, count in words.most_common(1):
        if count >= majority(_voters(seen)):
            return address
    return None


def _voters(seen: Mapping[str, _Seen]) -> int:
    """
    How many Sentinels the Sentinels count, the largest count being the safe one.
    """
    counted = [len(one.sentinels) + 1 for one in seen.values() if one.follows]
    return max(counted, default=len(seen))


def _member(
    cluster: Cluster,
    slot: str,
    address: str | None,
    seen: Mapping[str, _Seen],
    primary: str | None,
) -> ClusterMember:
    instance = cluster.instance(slot)
    one = seen.get(address or "")
    info = one.info if one else {}
    leads = address is not None and address == primary
    linked = leads or info.get("master_link_status") == "up"
    lag = 0 if leads else _lag(info, seen.get(primary or ""))
    ready = bool(info) and not info.get("loading") and linked
    if info:
        state = Standing.RUNNING if ready else Standing.STARTING
    else:
        state = Standing.STOPPED if instance else Standing.ABSENT
    return ClusterMember(
        slot_name=slot,
        instance=instance.name if instance else None,
        address=address,
        role=_role(info, leads=leads),
        state=state,
        lag_bytes=lag,
        in_sync=ready and lag is not None and lag <= LAG_BYTES_MAX,
        votes=bool(one and one.follows and one.follows == primary),
        detail=_detail(info, one, primary),
    )


def _role(info: Mapping[str, Any], *, leads: bool) -> Role:
    if leads and info.get("role") == "master":
        return Role.PRIMARY
    return Role.REPLICA if info.get("role") == "slave" else Role.UNKNOWN


def _lag(info: Mapping[str, Any], leading: _Seen | None) -> int | None:
    """
    How many bytes of its primary's stream a replica has not; None: one of them does not say.
    """
    own = info.get("slave_repl_offset")
    offset = leading.info.get("master_repl_offset") if leading else None
    if own is None or offset is None:
        return None
    return max(0, int(offset) - int(own))


def _detail(info: Mapping[str, Any], one: _Seen | None, primary: str | None) -> str:
    if info.get("loading"):
        return "it loads its data"
    if info.get("role") == "slave" and info.get("master_link_status") != "up":
        return "it does not reach its primary"
    if one and one.follows and one.follows != primary:
        return f"its Sentinel follows {one.follows}"
    return ""
