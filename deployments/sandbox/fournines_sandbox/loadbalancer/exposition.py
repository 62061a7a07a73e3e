"""
HAProxy's metrics in Octavia's words.

The names and labels are those of octavia.cmd.prometheus_proxy, which runs in every amphora. Its table is used; its
search (every key against every line) is replaced by one look-up a line, as one process here serves all load balancers.
Pure.
"""

from __future__ import annotations

import re

from octavia.cmd.prometheus_proxy import METRIC_MAP

_LINE = re.compile(r"(?:# (HELP|TYPE) )?(\w+)([ {])")

_INTERNAL = "prometheus-exporter"
"""Proxies that serve the metrics themselves; the amphora does not report them either."""


def translate(exposition: str) -> str:
    """
    Turn HAProxy's exposition into Octavia's; what Octavia does not report is left out.
    """
    result = []
    for line in exposition.splitlines(keepends=True):
        found = _LINE.match(line)
        if found is None or _INTERNAL in line:
            continue
        comment, name, follower = found.groups()
        key = name + follower
        entry = METRIC_MAP.get(key)
        if entry is None:
            continue
        if comment == "HELP" and entry[1]:
            result.append(entry[1])
            continue
        renamed = line
        if comment is None and entry[2]:
            for old, new in entry[2].items():
                renamed = renamed.replace(old, new)
        result.append(renamed.replace(key, entry[0]))
    return "".join(result)
