"""
One board per kind of stateful service: what was promised, what transactions of our own get, how the cluster is, and what its engine says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from alerts import conventions as c
from dashboards import service
from dashboards.overview import PLATFORM_VALUES
from dashboards.panel import (
    PLATFORM_VARIABLE,
    SERVICE_VARIABLE,
    Board,
    Kind,
    Panel,
    Query,
    Row,
)

_HERE = service.HERE
_QUANTILES = (0.5, 0.95, 0.99)
_WHO = f"{{{{{c.INSTANCE_NAME}}}}}"


@dataclass(frozen=True, slots=True)
class Engine:
    """
    What differs from kind to kind: the blueprint, its name for people, and the panels of what the engine says of itself.
    """

    blueprint: str
    title: str
    panels: tuple[Panel, ...]
    is_led: bool = True


def boards() -> tuple[Board, ...]:
    """
    Database, bus and cache.
    """
    return tuple(_board(engine) for engine in (_database(), _bus(), _cache()))


def _board(engine: Engine) -> Board:
    services = (
        f"label_values({c.SERVICE_INFO}"
        f'{{{c.PLATFORM}="$platform", blueprint="{engine.blueprint}"}}, {c.SERVICE})'
    )
    return Board(
        f"fournines-{engine.blueprint}",
        f"Fournines: {engine.title}",
        f"Objectives, error budget, transactions and members of one {engine.title}.",
        (
            service.promise(),
            _transactions(),
            _cluster(engine),
            Row("Engine", engine.panels),
        ),
        ((PLATFORM_VARIABLE, PLATFORM_VALUES), (SERVICE_VARIABLE, services)),
        blueprint=engine.blueprint,
    )


def _transactions() -> Row:
    buckets = f"{c.TRANSACTION_BUCKET}{{{_HERE}}}"
    return Row(
        "What users get",
        (
            _lines(
                "Transactions",
                f"sum by ({c.OUTCOME}) (rate({c.TRANSACTIONS}{{{_HERE}}}[30s]))",
                "Transactions of our own through the load balancer, by outcome: one a second.",
                f"{{{{{c.OUTCOME}}}}}",
                columns=12,
            ),
            Panel(
                "Transaction time",
                tuple(
                    Query(
                        f"histogram_quantile({quantile:g},"
                        f" sum by ({c.LE}) (rate({buckets}[1m])))",
                        f"{quantile:.0%}",
                    )
                    for quantile in _QUANTILES
                ),
                "From the connection to what was read back.",
                unit="s",
            ),
        ),
    )


def _cluster(engine: Engine) -> Row:
    panels = [
        Panel(
            "Votes",
            (
                Query(f"max({c.CLUSTER_VOTES}{{{_HERE}}})", "votes"),
                Query(f"max({c.CLUSTER_QUORUM}{{{_HERE}}})", "quorum"),
                Query(f"max({c.CLUSTER_MEMBERS}{{{_HERE}}})", "running"),
            ),
            "Members that vote and run, by the service's own word; below the quorum nothing is decided.",
            columns=8,
        ),
        _lines(
            "Full members",
            f"max by ({c.INSTANCE_NAME}) ({c.CLUSTER_SETTLED}{{{_HERE}}})",
            "1: runs, has all that was acknowledged, and votes.",
            _WHO,
        ),
        _lines(
            "Complaints",
            f"max({c.CLUSTER_PROBLEMS}{{{_HERE}}})",
            "What the service itself complains of.",
        ),
        _lines("Weight", f"{c.REC_MEMBER_WEIGHT}{{{_HERE}}}", "0 is drained.", _WHO),
        _lines(
            "Sessions",
            f"sum by ({c.POOL_ID}) ({c.POOL_SESSIONS}{{{_HERE}}})",
            "Connections at the load balancer, per pool.",
            f"{{{{{c.POOL_ID}}}}}",
        ),
        _lines(
            "Probes",
            f"{c.PROBE_DURATION}{{{_HERE}}}",
            "Time of our own health requests to each member.",
            _WHO,
            unit="s",
        ),
    ]
    if engine.is_led:
        panels += [
            Panel(
                "Leader known",
                (Query(f"max({c.CLUSTER_LEADER}{{{_HERE}}})"),),
                "1 when somebody leads.",
                Kind.NUMBER,
                columns=4,
                red_below=1,
            ),
            _lines(
                "Lag",
                f"max by ({c.SLOT}) ({c.CLUSTER_LAG}{{{_HERE}}})",
                "How far each member is behind the primary.",
                f"{{{{{c.SLOT}}}}}",
                unit="bytes",
                columns=20,
            ),
        ]
    return Row("Cluster", tuple(panels))


def _database() -> Engine:
    databases = f'{_HERE}, datname!~"template.*"'
    return Engine(
        "postgres",
        "database",
        (
            _lines(
                "Primary",
                f"{c.DATABASE_PRIMARY}{{{_HERE}}}",
                "1: takes the writes, by Patroni's word.",
                _WHO,
            ),
            _lines(
                "Timeline",
                f"{c.DATABASE_TIMELINE}{{{_HERE}}}",
                "One more with each failover.",
                _WHO,
            ),
            _lines(
                "Commits",
                f"sum by ({c.INSTANCE_NAME}) (rate({c.DATABASE_COMMITS}{{{_HERE}}}[1m]))",
                "Transactions committed per second.",
                _WHO,
            ),
            _lines(
                "Rollbacks",
                f"sum by ({c.INSTANCE_NAME}) (rate({c.DATABASE_ROLLBACKS}{{{_HERE}}}[1m]))",
                "Transactions rolled back per second.",
                _WHO,
            ),
            _lines(
                "Sessions",
                f"sum by (state) ({c.DATABASE_SESSIONS}{{{_HERE}}})",
                "Server connections by state.",
                "{{state}}",
            ),
            _lines(
                "Locks",
                f"sum by (mode) ({c.DATABASE_LOCKS}{{{databases}}})",
                "Locks held, by mode.",
                "{{mode}}",
            ),
            _lines(
                "Size",
                f"max by (datname) ({c.DATABASE_SIZE}{{{databases}}})",
                "Size of each database.",
                "{{datname}}",
                unit="bytes",
            ),
        ),
    )


def _bus() -> Engine:
    return Engine(
        "rabbitmq",
        "message bus",
        (
            Panel(
                "Messages",
                tuple(
                    Query(f"sum(rate({metric}{{{_HERE}}}[1m]))", word)
                    for metric, word in (
                        (c.BUS_PUBLISHED, "published"),
                        (c.BUS_CONFIRMED, "confirmed"),
                        (c.BUS_DELIVERED, "delivered"),
                    )
                ),
                "Messages per second.",
                columns=8,
            ),
            _lines(
                "Ready",
                f"sum({c.BUS_READY}{{{_HERE}}})",
                "Messages that wait for a consumer.",
            ),
            _lines(
                "Connections",
                f"{c.BUS_CONNECTIONS}{{{_HERE}}}",
                "Clients at each node.",
                _WHO,
            ),
            _lines(
                "Memory",
                f"{c.BUS_MEMORY}{{{_HERE}}}",
                "Memory of each node; at its watermark publishers are blocked.",
                _WHO,
                unit="bytes",
            ),
            _lines(
                "Disk free",
                f"{c.BUS_DISK}{{{_HERE}}}",
                "Disk left on each node; below its watermark publishers are blocked.",
                _WHO,
                unit="bytes",
            ),
            Panel(
                "Alarms",
                (
                    Query(f"max({c.BUS_MEMORY_ALARM}{{{_HERE}}})", "memory"),
                    Query(f"max({c.BUS_DISK_ALARM}{{{_HERE}}})", "disk"),
                ),
                "1: the bus blocks its publishers.",
                columns=8,
                red_above=1,
            ),
        ),
        is_led=False,
    )


def _cache() -> Engine:
    return Engine(
        "cache",
        "cache",
        (
            _lines(
                "Primary",
                f"{c.CACHE_IS_PRIMARY}{{{_HERE}}}",
                "1: a majority of the Sentinels calls it the primary.",
                _WHO,
            ),
            _lines(
                "Replicas that keep up",
                f"{c.CACHE_GOOD_REPLICAS}{{{_HERE}}}",
                "As each member counts them; writes need some at the primary.",
                _WHO,
            ),
            _lines(
                "Sentinels that agree",
                f"{c.CACHE_AGREEING}{{{_HERE}}}",
                "On who the primary is, as seen from each member.",
                _WHO,
            ),
            _lines(
                "Commands",
                f"rate({c.CACHE_COMMANDS}{{{_HERE}}}[30s])",
                "Commands per second.",
                _WHO,
            ),
            Panel(
                "Hits and misses",
                (
                    Query(f"sum(rate({c.CACHE_HITS}{{{_HERE}}}[1m]))", "hits"),
                    Query(f"sum(rate({c.CACHE_MISSES}{{{_HERE}}}[1m]))", "misses"),
                ),
                "Keys found and not found per second.",
                columns=8,
            ),
            _lines(
                "Memory", f"{c.CACHE_MEMORY}{{{_HERE}}}", "Used.", _WHO, unit="bytes"
            ),
            _lines("Clients", f"{c.CACHE_CLIENTS}{{{_HERE}}}", "Connections.", _WHO),
        ),
    )


def _lines(
    title: str,
    expr: str,
    description: str,
    legend: str = "",
    *,
    unit: str = "short",
    columns: int = 8,
) -> Panel:
    return Panel(title, (Query(expr, legend),), description, unit=unit, columns=columns)
