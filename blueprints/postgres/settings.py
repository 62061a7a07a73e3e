"""
Settings of PostgreSQL as Patroni keeps them for all members, against what the service's owner asks for. Pure.

Patroni applies what it is told at once; what needs a restart it marks, and somebody restarts one member after the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from fournines.model.contents import ContentChange

BASE: Mapping[str, JsonValue] = {"shared_buffers": "64MB", "max_wal_size": "256MB"}
"""What a member of the template's smallest flavor and volume can bear, where the owner asks for nothing; also in user-data.j2."""

PATRONI: Mapping[str, JsonValue] = {
    "ttl": 8,
    "loop_wait": 2,
    "retry_timeout": 3,
    "maximum_lag_on_failover": 1_048_576,
    "master_start_timeout": 10,
}
"""How fast a primary is missed. Measured (docs/postgres.md), and the same in user-data.j2."""


OPEN = frozenset(
    {
        "autovacuum_analyze_scale_factor",
        "autovacuum_max_workers",
        "autovacuum_naptime",
        "autovacuum_vacuum_cost_limit",
        "autovacuum_vacuum_scale_factor",
        "checkpoint_completion_target",
        "checkpoint_timeout",
        "deadlock_timeout",
        "default_statistics_target",
        "default_transaction_isolation",
        "effective_cache_size",
        "effective_io_concurrency",
        "idle_in_transaction_session_timeout",
        "jit",
        "lock_timeout",
        "log_lock_waits",
        "log_min_duration_statement",
        "log_statement",
        "log_timezone",
        "maintenance_work_mem",
        "max_connections",
        "max_locks_per_transaction",
        "max_parallel_workers",
        "max_parallel_workers_per_gather",
        "max_prepared_transactions",
        "max_wal_size",
        "max_worker_processes",
        "min_wal_size",
        "random_page_cost",
        "seq_page_cost",
        "shared_buffers",
        "shared_preload_libraries",
        "statement_timeout",
        "temp_buffers",
        "timezone",
        "track_activity_query_size",
        "track_commit_timestamp",
        "track_io_timing",
        "wal_buffers",
        "wal_compression",
        "work_mem",
    }
)
"""What an owner may set; the blueprint's schema has the same names."""


RESTARTING = frozenset(
    {
        "autovacuum_max_workers",
        "max_connections",
        "max_locks_per_transaction",
        "max_prepared_transactions",
        "max_worker_processes",
        "shared_buffers",
        "shared_preload_libraries",
        "track_activity_query_size",
        "track_commit_timestamp",
        "wal_buffers",
    }
)
"""What a server takes only when it starts; the blueprint's schema marks the same."""

_LEADER_FIRST = frozenset(
    {
        "max_connections",
        "max_locks_per_transaction",
        "max_prepared_transactions",
        "max_worker_processes",
    }
)
"""What a replica may not have less of than its primary: lowered, the primary takes it first."""


def patch(
    asked: Mapping[str, JsonValue],
    present: Mapping[str, JsonValue],
    *,
    synchronous: bool,
) -> dict[str, JsonValue]:
    """
    What Patroni's configuration must be told so that it is what was asked for; empty when it is.

    Args:
        asked: The service's own settings; one that is no longer asked for goes back to its base.
        present: Patroni's whole dynamic configuration.
        synchronous: Whether a commit waits for a second member.
    """
    changed: dict[str, JsonValue] = {
        name: value
        for name, value in (
            *PATRONI.items(),
            ("synchronous_mode", synchronous),
            ("synchronous_mode_strict", synchronous),
        )
        if present.get(name) != value
    }
    there = _mapping(_mapping(present, "postgresql"), "parameters")
    parameters = _parameters(asked, there)
    if parameters:
        changed["postgresql"] = {"parameters": parameters}
    return changed


def in_words(
    change: Mapping[str, JsonValue], present: Mapping[str, JsonValue]
) -> tuple[ContentChange, ...]:
    """
    A patch for people, one clause for each setting; `present` is what it is a patch of.
    """
    own = {name: value for name, value in change.items() if name != "postgresql"}
    theirs = _mapping(_mapping(change, "postgresql"), "parameters")
    there = _mapping(_mapping(present, "postgresql"), "parameters")
    return tuple(
        ContentChange(
            said=f"{name} is {'the default' if value is None else _word(value)}",
            restarts=name in RESTARTING and name in theirs,
            leader_first=name in _LEADER_FIRST and _is_less(value, there.get(name)),
        )
        for name, value in sorted({**own, **theirs}.items())
    )


def _is_less(value: JsonValue, before: JsonValue) -> bool:
    """
    Whether it may be less than before; nobody here knows the defaults.
    """
    if isinstance(value, int) and isinstance(before, int):
        return value < before
    return True


def _parameters(
    asked: Mapping[str, JsonValue],
    present: Mapping[str, JsonValue],
) -> dict[str, JsonValue]:
    wanted = {name: _spelled(value) for name, value in {**BASE, **asked}.items()}
    changed: dict[str, JsonValue] = {
        name: value for name, value in wanted.items() if present.get(name) != value
    }
    forgotten = (OPEN & present.keys()) - wanted.keys()
    return {**changed, **dict.fromkeys(sorted(forgotten))}


def _spelled(value: JsonValue) -> JsonValue:
    """
    A value as PostgreSQL's files spell it.
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value


def _mapping(document: Mapping[str, JsonValue], key: str) -> Mapping[str, JsonValue]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _word(value: JsonValue) -> str:
    return str(_spelled(value))
