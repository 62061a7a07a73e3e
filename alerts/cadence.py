"""
How often we look. Every figure was measured (docs/slo.md): they decide how soon a fault is known and what knowing costs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cadence:
    """
    Intervals and time-outs of scraping, probing and evaluating.

    Attributes:
        fast_seconds: Scrape of load balancers and evaluation of the fast rules: a fault is in the inbox within 1-2 s.
        member_seconds: Scrape of members; two misses say that one is down.
        member_timeout_ms: A member that needs longer for its metrics is as good as down.
        probe_seconds: Probes of a page users use.
        probe_timeout_ms: Longer than any healthy answer, shorter than the load balancer's time-out for members.
        medium_seconds: Evaluation of the five-minute window.
        level_seconds: Evaluation of windows up to two hours, each from minutes.
        slow_seconds: Evaluation of longer windows, each from five minutes.
        blind_seconds: Evaluation of what watches the watchers.
        discovery_seconds: How often targets are asked for.
        exporter_seconds: Scrape of exporters beside the members' engines: figures for people.
        own_seconds: Scrape of the healer, Prometheus, Alertmanager and the blackbox exporter.
    """

    fast_seconds: int = 1
    member_seconds: int = 2
    member_timeout_ms: int = 800
    probe_seconds: int = 1
    probe_timeout_ms: int = 800
    medium_seconds: int = 5
    level_seconds: int = 60
    slow_seconds: int = 300
    blind_seconds: int = 2
    discovery_seconds: int = 2
    exporter_seconds: int = 10
    own_seconds: int = 2
