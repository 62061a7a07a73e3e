"""
Configurations of Prometheus, Alertmanager and the blackbox exporter, and the arguments to start Debian's binaries with. Pure: addresses
and paths come in, text goes out.

The webhook's token stays in a file that Alertmanager reads: it stands in no configuration and on no command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from alerts import conventions as c
from alerts.cadence import Cadence
from alerts.generation import files
from alerts.generation.rule import RUNBOOKS

PROMETHEUS_FILE = "prometheus.yml"
ALERTMANAGER_FILE = "alertmanager.yml"
BLACKBOX_FILE = "blackbox.yml"
RULES_DIR = "rules"

WATCHDOG_INTERVAL = "5s"
DEAD_MAN_INTERVAL = "1m"
"""What dead man's switches on the internet take; they call after some missing ones."""

PROMETHEUS_ENVIRONMENT = {"GOGC": "30"}
"""Garbage is collected when the heap has grown by 30 %, not by 100: 18 % less memory for a quarter more CPU of its own (40,000 series,
measured), where there is CPU to spare and memory is what many members cost."""

PROBE_MODULE = "page"

FOREIGN_TO_MEMBERS = "(fournines|octavia|alertmanager|prometheus|probe|process)[_:].*|up|ALERTS.*|scrape_.*"
"""Names a member may not give: whoever owns a member could say of another platform's that it is down, or that healing is off. Target
labels (platform, service, slot) are Prometheus' own, a member's ones of that name are set aside (`honor_labels` is off)."""

_HEADER = "# Written at every start. Changes belong into alerts/configuration.py.\n"
_MEMBER_BODY_MAX = "2MB"
_MEMBER_SAMPLES_MAX = 2_000
"""A member is its owner's program: what it exports must not drown everybody else's measurements."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """
    Where everything listens, as `host:port`, and the files they share.

    Attributes:
        token_file: Holds the bearer token of the healer's door.
        page_url: A webhook for people (pages and tickets); None: they are seen in Alertmanager and Prometheus only.
        dead_man_url: A service outside that expects the Watchdog every minute and calls people when it stays away.
        retention_days: A month's budget needs a month of measurements.
        retention_size: Whatever comes first; a second's measurements of a small platform are some 60 MB a day.
    """

    prometheus: str
    alertmanager: str
    blackbox: str
    healer: str
    token_file: Path
    page_url: str | None = None
    dead_man_url: str | None = None
    runbooks: str = RUNBOOKS
    retention_days: int = 35
    retention_size: str = "4GB"
    cadence: Cadence = field(default_factory=Cadence)


def render(at: Addresses) -> dict[str, str]:
    """
    Every file by its path relative to one directory: three configurations and `rules/*.yml`.
    """
    rules = files.texts(at.cadence, runbooks=at.runbooks)
    return {
        PROMETHEUS_FILE: _text(_prometheus(at)),
        ALERTMANAGER_FILE: _text(_alertmanager(at)),
        BLACKBOX_FILE: _text(_blackbox(at)),
    } | {f"{RULES_DIR}/{name}": text for name, text in rules.items()}


def prometheus_command(at: Addresses, config_dir: Path, data_dir: Path) -> list[str]:
    """
    How to start Prometheus.
    """
    return [
        "prometheus",
        f"--config.file={config_dir / PROMETHEUS_FILE}",
        f"--storage.tsdb.path={data_dir}",
        f"--storage.tsdb.retention.time={at.retention_days}d",
        f"--storage.tsdb.retention.size={at.retention_size}",
        f"--web.listen-address={at.prometheus}",
        # An alert that Alertmanager missed comes again soon.
        "--rules.alert.resend-delay=10s",
        "--log.level=warn",
    ]


def alertmanager_command(at: Addresses, config_dir: Path, data_dir: Path) -> list[str]:
    """
    How to start Alertmanager, alone: a cluster is a site's own business.
    """
    return [
        "prometheus-alertmanager",
        f"--config.file={config_dir / ALERTMANAGER_FILE}",
        f"--storage.path={data_dir}",
        f"--web.listen-address={at.alertmanager}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]


def blackbox_command(at: Addresses, config_dir: Path) -> list[str]:
    """
    How to start the blackbox exporter.
    """
    return [
        "prometheus-blackbox-exporter",
        f"--config.file={config_dir / BLACKBOX_FILE}",
        f"--web.listen-address={at.blackbox}",
        # Its default cuts half a second off every probe.
        "--timeout-offset=0.1",
        "--log.level=error",
    ]


def _text(content: dict[str, Any]) -> str:
    return _HEADER + yaml.safe_dump(content, sort_keys=False, width=1_000)


def _prometheus(at: Addresses) -> dict[str, Any]:
    pace = at.cadence
    return {
        "global": {
            "scrape_interval": f"{pace.own_seconds}s",
            "scrape_timeout": f"{pace.own_seconds}s",
            "evaluation_interval": f"{pace.fast_seconds}s",
        },
        "rule_files": [f"{RULES_DIR}/*.yml"],
        "alerting": {
            "alertmanagers": [
                {
                    "timeout": "2s",
                    "static_configs": [{"targets": [at.alertmanager]}],
                }
            ]
        },
        "scrape_configs": [
            _load_balancers(at),
            _members(at),
            _exporters(at),
            _probes(at),
            _static(c.Job.HEALER, at.healer)
            | {"metric_relabel_configs": [_WHOLE_BUCKETS]},
            _static(c.Job.PROMETHEUS, at.prometheus),
            _static(c.Job.ALERTMANAGER, at.alertmanager),
        ],
    }


def _discovered(at: Addresses, job: c.Job) -> dict[str, Any]:
    """
    Targets by HTTP from the healer: a new service needs no reload.
    """
    return {
        "job_name": str(job),
        "http_sd_configs": [
            {
                "url": f"http://{at.healer}/sd/{job}",
                "refresh_interval": f"{at.cadence.discovery_seconds}s",
            }
        ],
    }


def _load_balancers(at: Addresses) -> dict[str, Any]:
    """
    Octavia's PROMETHEUS listeners. Its pool label is `pool:listener`; ids get labels of their own, for joins.
    """
    seconds = f"{at.cadence.fast_seconds}s"
    return _discovered(at, c.Job.LOAD_BALANCERS) | {
        "scrape_interval": seconds,
        "scrape_timeout": seconds,
        "metric_relabel_configs": [
            {
                "source_labels": ["__name__"],
                "regex": "|".join(c.OCTAVIA_KEPT),
                "action": "keep",
            },
            _relabel("member", "(.+)", c.MEMBER_ID, "$1"),
            _relabel("pool", "([^:]+).*", c.POOL_ID, "$1"),
            _relabel("pool", ".*:(.+)", c.LISTENER_ID, "$1"),
            {"regex": "member|pool", "action": "labeldrop"},
        ],
    }


def _members(at: Addresses) -> dict[str, Any]:
    """
    The members' own metrics.
    """
    pace = at.cadence
    return _of_members(at, c.Job.MEMBERS) | {
        "scrape_interval": f"{pace.member_seconds}s",
        "scrape_timeout": f"{pace.member_timeout_ms}ms",
        # Whether a certificate is right is asked by whoever says secrets; figures come from instances with and without one.
        "tls_config": {"insecure_skip_verify": True},
    }


def _exporters(at: Addresses) -> dict[str, Any]:
    """
    Exporters beside an engine: figures for people, whose absence says nothing of the member.
    """
    pace = at.cadence
    return _of_members(at, c.Job.EXPORTERS) | {
        "scrape_interval": f"{pace.exporter_seconds}s",
        "scrape_timeout": f"{pace.exporter_seconds // 2}s",
    }


def _of_members(at: Addresses, job: c.Job) -> dict[str, Any]:
    """
    What holds for all that a member exports.
    """
    return _discovered(at, job) | {
        "body_size_limit": _MEMBER_BODY_MAX,
        "sample_limit": _MEMBER_SAMPLES_MAX,
        "metric_relabel_configs": [
            {
                "source_labels": ["__name__"],
                "regex": FOREIGN_TO_MEMBERS,
                "action": "drop",
            },
            _WHOLE_BUCKETS,
        ],
    }


def _probes(at: Addresses) -> dict[str, Any]:
    """
    A page users use, fetched from outside the member; targets are URLs.
    """
    pace = at.cadence
    timeout_ms = min(pace.probe_timeout_ms + 100, pace.probe_seconds * 1_000)
    return _discovered(at, c.Job.PROBES) | {
        "metrics_path": "/probe",
        "params": {"module": [PROBE_MODULE]},
        "scrape_interval": f"{pace.probe_seconds}s",
        "scrape_timeout": f"{timeout_ms}ms",
        "relabel_configs": [
            _relabel("__address__", "(.+)", "__param_target", "$1"),
            _relabel("__param_target", "(.+)", "instance", "$1"),
            {"target_label": "__address__", "replacement": at.blackbox},
        ],
        "metric_relabel_configs": [
            {
                "source_labels": ["__name__"],
                "regex": f"{c.PROBE_SUCCESS}|{c.PROBE_DURATION}|probe_http_status_code",
                "action": "keep",
            }
        ],
    }


def _static(job: c.Job, address: str) -> dict[str, Any]:
    return {"job_name": str(job), "static_configs": [{"targets": [address]}]}


def _relabel(source: str, regex: str, target: str, value: str) -> dict[str, Any]:
    return {
        "source_labels": [source],
        "regex": regex,
        "target_label": target,
        "replacement": value,
    }


_WHOLE_BUCKETS = _relabel(c.LE, r"(\d+)\.0", c.LE, "$1")
"""Some libraries write a bucket's end as `1.0`, others as `1`: thresholds match the second."""


def _alertmanager(at: Addresses) -> dict[str, Any]:
    """
    Four ways: to the healer at once, the Watchdog every five seconds, the same to the dead man's switch every minute, the rest to people.

    A group's interval decides how soon an alert that fires again is heard: its default of five minutes is more than a month's budget.
    """
    return {
        "global": {"resolve_timeout": "1m"},
        "route": {
            "receiver": "people",
            "group_by": ["alertname", *c.SERVICE_LABELS],
            "group_wait": "1s",
            "group_interval": "1m",
            "repeat_interval": "4h",
            "routes": [
                *_dead_man_route(at),
                {
                    "matchers": [f'{c.TIER}="{c.Tier.ALIVE}"'],
                    "receiver": "watchdog",
                    "group_wait": "0s",
                    "group_interval": WATCHDOG_INTERVAL,
                    "repeat_interval": WATCHDOG_INTERVAL,
                },
                {
                    "matchers": [f'{c.SEVERITY}="{c.Severity.HEAL}"'],
                    "receiver": "heal",
                    "group_by": list(c.MEMBER_LABELS),
                    "group_wait": "0s",
                    "group_interval": "1s",
                    "repeat_interval": "1m",
                },
            ],
        },
        "receivers": [
            {"name": "heal", "webhook_configs": [_door(at, resolved=True)]},
            {"name": "watchdog", "webhook_configs": [_door(at, resolved=False)]},
            *_dead_man(at),
            _people(at),
        ],
    }


def _dead_man_route(at: Addresses) -> list[dict[str, Any]]:
    """
    Before the healer's own, and going on to it: `continue`.
    """
    if not at.dead_man_url:
        return []
    return [
        {
            "matchers": [f'{c.TIER}="{c.Tier.ALIVE}"'],
            "receiver": "dead-man",
            "group_wait": "0s",
            "group_interval": DEAD_MAN_INTERVAL,
            "repeat_interval": DEAD_MAN_INTERVAL,
            "continue": True,
        }
    ]


def _dead_man(at: Addresses) -> list[dict[str, Any]]:
    if not at.dead_man_url:
        return []
    hook = {"url": at.dead_man_url, "send_resolved": False}
    return [{"name": "dead-man", "webhook_configs": [hook]}]


def _door(at: Addresses, *, resolved: bool) -> dict[str, Any]:
    return {
        "url": f"http://{at.healer}/alerts",
        "send_resolved": resolved,
        "max_alerts": 0,
        "http_config": {
            "authorization": {
                "type": "Bearer",
                "credentials_file": str(at.token_file),
            },
            "follow_redirects": False,
        },
    }


def _people(at: Addresses) -> dict[str, Any]:
    receiver: dict[str, Any] = {"name": "people"}
    if at.page_url:
        receiver["webhook_configs"] = [{"url": at.page_url, "send_resolved": True}]
    return receiver


def _blackbox(at: Addresses) -> dict[str, Any]:
    return {
        "modules": {
            PROBE_MODULE: {
                "prober": "http",
                "timeout": f"{at.cadence.probe_timeout_ms}ms",
                "http": {
                    "method": "GET",
                    "preferred_ip_protocol": "ip4",
                    "ip_protocol_fallback": False,
                    "follow_redirects": False,
                    "tls_config": {"insecure_skip_verify": True},
                    "valid_status_codes": [200, 204, 301, 302, 303, 307, 308],
                },
            }
        }
    }
