"""
What stands beside Redis in each instance of a cache. Python's standard library alone.

    prepare   before Redis starts: whom to follow, asked of the other members' Sentinels
    serve     an HTTP server for load balancer, probes and Prometheus, and the fence

/primary   200 only on the member that a majority of the Sentinels, asked within the last seconds, call the primary
/replica   200 on a replica that follows its primary
/health    200 when Redis answers
/metrics   figures for Prometheus

The fence: a primary that was frozen or cut off, and comes back while the majority follows another, does not wait for a Sentinel to tell it
(about 10 s): it becomes a replica at the first look. What it took meanwhile, it may not keep. A member that was just promoted looks alike for a
moment, for the Sentinels name it only once they have seen it lead: it is left alone until they have, or until they would have.
"""

# ruff: noqa: INP001, T201  an instance runs this file by itself, and what it prints is its log

from __future__ import annotations

import concurrent.futures
import http.server
import os
import pathlib
import pwd
import shutil
import sys
import threading
import time
from collections import Counter
from typing import Any

from .line import CONFIG, MASTER, REDIS_PORT, Line, Member, Refused, followed

LOOK_SECONDS = 0.5
AGREED_SECONDS_MAX = 4.0
"""So long a majority's word holds: a look or two may fail on a busy machine, a thawed primary's is older."""

PROMOTED_SECONDS = 10.0
"""So long a new primary that no majority has named yet is let be: a Sentinel sees its promotion within a second, and tries again after eight."""

ALONE_SECONDS = 6.0
"""So long a starting member looks for others before it trusts what it remembers."""

FAILOVER_SECONDS = 60.0

METRICS = {
    "used_memory": "redis_memory_used_bytes",
    "maxmemory": "redis_memory_max_bytes",
    "mem_fragmentation_ratio": "redis_memory_fragmentation_ratio",
    "connected_clients": "redis_connected_clients",
    "blocked_clients": "redis_blocked_clients",
    "evicted_keys": "redis_evicted_keys_total",
    "expired_keys": "redis_expired_keys_total",
    "keyspace_hits": "redis_keyspace_hits_total",
    "keyspace_misses": "redis_keyspace_misses_total",
    "rejected_connections": "redis_rejected_connections_total",
    "total_commands_processed": "redis_commands_processed_total",
    "connected_slaves": "redis_connected_replicas",
    "min_slaves_good_slaves": "redis_good_replicas",
    "master_repl_offset": "redis_replication_offset",
    "slave_repl_offset": "redis_replica_offset",
    "uptime_in_seconds": "redis_uptime_seconds",
    "rdb_last_bgsave_status": "redis_last_save_ok",
    "aof_last_write_status": "redis_append_ok",
}


# -- before Redis starts


def prepare(member: Member) -> None:
    """
    Write the configuration of Redis and, once, of Sentinel.
    """
    member.home.mkdir(parents=True, exist_ok=True)
    member.data.mkdir(parents=True, exist_ok=True)
    primary = chosen_primary(member)
    base = CONFIG.with_name("redis.conf").read_text()
    if primary != member.address:
        base += f"replicaof {primary} {REDIS_PORT}\n"
    _write(member.home / "redis.conf", base)
    sentinel = member.home / "sentinel.conf"
    if not sentinel.exists():
        text = CONFIG.with_name("sentinel.conf").read_text()
        _write(sentinel, text.replace("@PRIMARY@", primary))
    owner = pwd.getpwnam("redis")
    for path in (
        member.home,
        member.data,
        *member.home.iterdir(),
        *member.data.iterdir(),
    ):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    print(f"the primary is {primary}, this member is {member.address}", flush=True)


def _write(path: pathlib.Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def chosen_primary(member: Member) -> str:
    """
    Whom to follow; its own address when it is to lead.

    A member that the others still take for the primary, and that has nothing, must not lead: all others would empty themselves after it.
    """
    deadline = time.monotonic() + ALONE_SECONDS
    while time.monotonic() < deadline:
        primary = _told(member)
        if primary is not None:
            break
        time.sleep(0.3)
    else:
        return _remembered(member)
    if primary == member.address and not (member.keeps and any(member.data.iterdir())):
        return _handed_over(member)
    return primary


def _told(member: Member) -> str | None:
    """
    What most of the other members' Sentinels say; None when none answers.
    """
    lines = [member.sentinel(seed) for seed in member.seeds if seed != member.address]
    words = Counter(word for word in map(followed, lines) if word)
    for line in lines:
        line.close()
    return words.most_common(1)[0][0] if words else None


def _remembered(member: Member) -> str:
    """
    The primary before the outage; at the very first start the first seed.
    """
    sentinel = member.home / "sentinel.conf"
    for line in sentinel.read_text().splitlines() if sentinel.exists() else ():
        words = line.split()
        if words[:3] == ["sentinel", "monitor", MASTER]:
            return words[3]
    note = member.data / "primary"
    return note.read_text().strip() if note.exists() else member.seeds[0]


def _handed_over(member: Member) -> str:
    """
    Have the others choose another primary; our own address if in a minute none of them can be.
    """
    deadline = time.monotonic() + FAILOVER_SECONDS
    while time.monotonic() < deadline:
        for seed in member.seeds:
            if seed == member.address:
                continue
            line = member.sentinel(seed)
            try:
                line.say("SENTINEL", "FAILOVER", MASTER)
            except (OSError, ValueError, Refused) as said:
                print(f"{seed} was asked to hand over: {said}", flush=True)
            line.close()
        time.sleep(1)
        primary = _told(member)
        if primary not in {None, member.address}:
            return str(primary)
    return member.address


# -- while Redis runs


class Watch:
    """
    Looks at Redis and the Sentinels again and again.

    Attributes:
        info: What Redis said last; empty when it did not answer.
        looked_at: When that was.
        agreed_at: When a majority of the Sentinels last named this member the primary.
        leads_since: When it was first seen to lead; None while it does not.
        was_named: Whether a majority has named it since then.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.info: dict[str, str] = {}
        self.looked_at = self.agreed_at = float("-inf")
        self.leads_since: float | None = None
        self.was_named = False
        self.fenced_total = 0
        self.sentinels = self.agreeing = 0
        self._redis = member.redis()
        self._sentinels: dict[str, Line] = {}
        self._hands = concurrent.futures.ThreadPoolExecutor(8)

    def run(self) -> None:
        """
        For ever.
        """
        while True:
            begin = time.monotonic()
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  whatever it is: the next look may succeed, and the old one ages
                print(f"looking: {error!r}", flush=True)
            time.sleep(max(0.05, LOOK_SECONDS - (time.monotonic() - begin)))

    def _look(self) -> None:
        try:
            text = str(self._redis.say("INFO"))
            self.info = dict(
                line.split(":", 1) for line in text.splitlines() if ":" in line
            )
        except (OSError, ValueError, Refused):
            self.info = {}
        self.looked_at = time.monotonic()
        if self.role == "master":
            self.leads_since = self.leads_since or self.looked_at
        elif self.role is not None:
            self.leads_since, self.was_named = None, False
        self._hear()

    def _hear(self) -> None:
        """
        Ask the Sentinels whom they follow, and become a replica when the majority follows another.
        """
        asked_at = time.monotonic()
        known = self._known()
        words = Counter(word for word in self._hands.map(followed, known) if word)
        self.sentinels, self.agreeing = len(known), words[self.member.address]
        for address, count in words.items():
            if count * 2 <= len(known):
                continue
            if address == self.member.address:
                self.agreed_at = asked_at
                self.was_named = True
            elif self.outlived:
                self._fence(address)
            self._note(address)

    def _known(self) -> list[Line]:
        local = self._line(self.member.address)
        addresses = {self.member.address}
        try:
            for entry in local.say("SENTINEL", "SENTINELS", MASTER):
                addresses.add(entry[entry.index("ip") + 1])
        except (OSError, ValueError, Refused):
            addresses.update(self.member.seeds)
        return [self._line(address) for address in sorted(addresses)]

    def _line(self, address: str) -> Line:
        if address not in self._sentinels:
            self._sentinels[address] = self.member.sentinel(address)
        return self._sentinels[address]

    def _fence(self, primary: str) -> None:
        print(f"the majority follows {primary}: this member does too", flush=True)
        self.fenced_total += 1
        self._redis.say("REPLICAOF", primary, str(REDIS_PORT))
        # Whoever is connected would be refused every write until it connects anew.
        self._redis.say("CLIENT", "KILL", "TYPE", "normal")

    def _note(self, primary: str) -> None:
        """
        For a start after an outage of all members, in which a new instance may find the volume.
        """
        note = self.member.data / "primary"
        if not note.exists() or note.read_text() != primary:
            _write(note, primary)

    # -- what it means

    @property
    def role(self) -> str | None:
        """Redis' own word."""
        return self.info.get("role")

    @property
    def outlived(self) -> bool:
        """It still leads what others were named for, and is not the one who is about to be named."""
        if self.role != "master" or self.leads_since is None:
            return False
        return self.was_named or self.looked_at - self.leads_since > PROMOTED_SECONDS

    @property
    def fresh(self) -> bool:
        """Whether the last look is not of the time before a pause."""
        return time.monotonic() - self.looked_at < AGREED_SECONDS_MAX

    @property
    def healthy(self) -> bool:
        """Redis answers and has loaded its data."""
        return self.fresh and self.info.get("loading") == "0"

    @property
    def primary(self) -> bool:
        """This member is the primary, and the majority says so."""
        agreed = time.monotonic() - self.agreed_at < AGREED_SECONDS_MAX
        return self.healthy and self.role == "master" and agreed

    @property
    def replica(self) -> bool:
        """This member follows a primary."""
        return (
            self.healthy
            and self.role == "slave"
            and self.info.get("master_link_status") == "up"
        )

    def metrics(self) -> str:
        """
        Figures for Prometheus.
        """
        values: dict[str, Any] = {
            "redis_up": int(self.healthy),
            "redis_is_primary": int(self.primary),
            "redis_follows": int(self.replica),
            "redis_fenced_total": self.fenced_total,
            "redis_sentinels": self.sentinels,
            "redis_sentinels_agreeing": self.agreeing,
            "redis_data_free_bytes": shutil.disk_usage(self.member.data).free,
        }
        for key, name in METRICS.items():
            if key in self.info:
                text = self.info[key]
                values[name] = {"ok": 1, "err": 0}.get(text, text)
        return "".join(f"{name} {value}\n" for name, value in values.items())


def handler(watch: Watch) -> type[http.server.BaseHTTPRequestHandler]:
    """
    Answers what the watch knows.
    """

    class Answering(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            checks = {
                "/primary": watch.primary,
                "/replica": watch.replica,
                "/health": watch.healthy,
            }
            if self.path == "/metrics":
                self._answer(200, watch.metrics())
            elif self.path in checks:
                good = checks[self.path]
                self._answer(200 if good else 503, f"{watch.role or 'silent'}\n")
            else:
                self._answer(404, "no such page\n")

        def _answer(self, code: int, text: str) -> None:
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Health checks come every second: nothing is logged."""

    return Answering


def serve(member: Member, port: int) -> None:
    """
    Watch, and answer.
    """
    watch = Watch(member)
    threading.Thread(target=watch.run, daemon=True).start()
    server = http.server.ThreadingHTTPServer(("", port), handler(watch))
    server.daemon_threads = True
    server.serve_forever()


def main() -> None:
    """
    What the command line asks for.
    """
    match sys.argv[1:]:
        case ["prepare"]:
            prepare(Member())
        case ["serve", port]:
            serve(Member(), int(port))
        case words:
            sys.exit(f"there is no {words}")
