"""
The definitions of a bus over its management API: all of them out, some of them in. What is there already stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from blueprints.rabbitmq import topology
from tasks.operators import Cluster, ClusterSilent
from tasks.operators.access import Access
from tasks.operators.http import Api, Login
from tasks.operators.rabbitmq import MANAGEMENT_PORT

PATH = "/api/definitions"
SECONDS_MAX = 60.0
"""Thousands of queues are declared one by one."""


def taken_from(cluster: Cluster, access: Access) -> dict[str, Any]:
    """
    What a bus holds now.

    Raises:
        ClusterSilent: No node answers.
        ClusterRefused: It said no.
    """
    doing = f"asking {cluster.label} for its definitions"
    answer = _api(access).ask_any(cluster.addresses().values(), PATH, doing=doing)
    try:
        found = json.loads(answer.content)
    except ValueError as error:
        raise ClusterSilent(doing, "it answers with no document") from error
    return found if isinstance(found, dict) else {}


def bring_back(
    cluster: Cluster, access: Access, definitions: Mapping[str, Any]
) -> None:
    """
    Have a bus make what it lacks of these. Raises as `taken_from`.
    """
    _api(access).ask_any(
        cluster.addresses().values(),
        PATH,
        method="POST",
        body=dict(definitions),
        doing=f"bringing definitions back to {cluster.label}",
    )


def _api(access: Access) -> Api:
    login = Login(topology.OPERATOR, access.secret("operator"))
    return Api(MANAGEMENT_PORT, ca=access.ca, login=login, timeout_seconds=SECONDS_MAX)
