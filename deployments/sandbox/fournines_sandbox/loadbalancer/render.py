"""
A load balancer's tree becomes the configuration of its HAProxy.

The text is that of Octavia's own templates, so the semantics (weights, backup members, checks, persistence, L7) are the
amphora's by construction. Only the global section is adapted: the amphora has a syslog and a virtual machine to itself,
a namespace on a shared host has neither. Pure apart from reading Octavia's templates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from octavia.common import constants
from octavia.common.jinja.haproxy.combined_listeners.jinja_cfg import JinjaTemplater

_STATS_SOCKET = re.compile(r"^( +stats socket \S+) mode 0666 level user$", re.MULTILINE)
_GLOBAL_LIMIT = re.compile(r"^( +maxconn )(\d+)$", re.MULTILINE)
_LOG_TARGET = re.compile(r"^ +log \S+ local\d.*\n", re.MULTILINE)
_EXPECTED_CODES = re.compile(r"(http-check expect rstatus )(\S+)")
_BLANK_LINES = re.compile(r"\n{3,}")

_GONE = (constants.PENDING_DELETE, constants.DELETED)


def served_listeners(load_balancer: Any) -> list[Any]:
    """
    The listeners HAProxy has to serve: those not being deleted, of a protocol it speaks.
    """
    return [
        listener
        for listener in load_balancer.listeners
        if listener.provisioning_status not in _GONE
        and listener.protocol not in constants.LVS_PROTOCOLS
    ]


def render(
    load_balancer: Any,
    *,
    directory: Path,
    socket: Path,
    version: Sequence[str],
    connections_max: int,
) -> str:
    """
    Render the configuration; empty when there is nothing to serve.

    Args:
        load_balancer: Octavia's data model with its whole tree.
        directory: Where the state file lives, in a folder named after the load balancer.
        socket: HAProxy's stats socket.
        version: HAProxy's version as strings, major first; templates differ by it.
        connections_max: What the host's limit of file descriptors allows one HAProxy to hold.
    """
    listeners = served_listeners(load_balancer)
    if not load_balancer.enabled or not any(listener.enabled for listener in listeners):
        return ""
    # Octavia's database gives no order; a stable one keeps equal trees equal in text, so that nothing reloads in vain.
    listeners.sort(key=lambda listener: (listener.protocol_port, listener.id))
    for pool in load_balancer.pools:
        pool.members.sort(key=lambda member: (member.ip_address, member.protocol_port, member.id))
    templater = JinjaTemplater(base_amp_path=str(directory), connection_logging=False)
    text = templater.build_config(
        host_amphora=_Amphora(),
        listeners=listeners,
        tls_certs={},
        haproxy_versions=list(version),
        amp_details=None,
        socket_path=str(socket),
    )
    return adapt(text, connections_max)


def adapt(text: str, connections_max: int) -> str:
    """
    Turn the amphora's global section into ours.

    The stats socket takes commands (weights change without a reload) and hands over listening sockets (no connection is
    refused during a reload); there is no syslog to write to; one thread serves, as the host is shared; and the sum of all
    listeners' limits (50,000 each unless said otherwise) is cut to what this host can hold, or HAProxy would not start.
    """
    text = _STATS_SOCKET.sub(r"\1 mode 0600 level admin expose-fd listeners\n    nbthread 1", text)
    text = _LOG_TARGET.sub("", text)
    text = _GLOBAL_LIMIT.sub(
        lambda found: f"{found[1]}{min(int(found[2]), connections_max)}", text, 1
    )
    # The codes come from a set, in an order that differs from process to process.
    text = _EXPECTED_CODES.sub(lambda found: found[1] + "|".join(sorted(found[2].split("|"))), text)
    lines = (line.rstrip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip() + "\n"


class _Amphora:
    """
    What the templates ask of the amphora that serves a configuration; we have none.
    """

    def __getattr__(self, name: str) -> None:
        return None
