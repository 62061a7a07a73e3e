"""
What a cache complains of, read from what its members say of themselves (Redis' INFO, by address).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.operators import Cluster

Info = Mapping[str, Any]


def split(cluster: Cluster, infos: Mapping[str, Info], slots: Mapping[str, str]) -> str:
    """
    Two that take themselves for the primary. One of them is not served, and follows within a second; when it does not, its fence has failed.
    """
    masters = sorted(
        slots.get(address, address)
        for address, info in infos.items()
        if info.get("role") == "master"
    )
    if len(masters) < 2:
        return ""
    return f"{' and '.join(masters)} each take themselves for the primary of {cluster.service.name}"


def problems(
    cluster: Cluster, infos: Mapping[str, Info], primary: str | None
) -> Iterator[str]:
    """
    What users of the cache feel, or will.
    """
    if primary is None:
        yield "no majority of the Sentinels agrees on a primary"
    info = infos.get(primary or "", {})
    wanted = int(cluster.service.parameters.get("replicas_to_write") or 0)  # type: ignore[arg-type]
    good = int(info.get("min_slaves_good_slaves") or 0)
    if info and good < wanted:
        yield f"writes are refused: {good} replicas keep up, and {wanted} must"
    if info.get("maxmemory_policy") == "noeviction" and info.get(
        "used_memory", 0
    ) >= info.get("maxmemory", 0):
        yield "the memory is full and nothing is evicted: writes are refused"
