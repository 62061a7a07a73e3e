"""
What exactly of a load balancer is in ERROR, by Octavia's status tree.

The SDK has no call for the tree, octaviaclient has. It only adds to an error's text, so no answer is no reason to fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from octaviaclient.api.exceptions import OctaviaClientException
from octaviaclient.api.v2.octavia import OctaviaAPI

_CHILDREN = ("listeners", "pools", "members", "health_monitor", "l7policies", "rules")


def parts_in_error(session: Any, endpoint: str, load_balancer_id: str) -> str:
    """
    The parts in ERROR as "pool demo-shop-web, member demo-shop-web-1-g1"; empty when there is no answer.
    """
    client = OctaviaAPI(
        session=session, service_type="load-balancer", endpoint=endpoint
    )
    try:
        tree = client.load_balancer_status_show(load_balancer_id)
    except OctaviaClientException:
        return ""
    root = tree.get("statuses", {}).get("loadbalancer", {})
    return ", ".join(_in_error(root))


def _in_error(node: dict[str, Any]) -> Iterator[str]:
    for kind in _CHILDREN:
        found = node.get(kind) or []
        for child in found if isinstance(found, list) else [found]:
            if child.get("provisioning_status") == "ERROR":
                yield f"{kind.removesuffix('s')} {child.get('name') or child['id']}"
            yield from _in_error(child)
