"""
What a front door meets when everything goes wrong at once: one real incident among thousands of posts that are not.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

TOKEN = "t0k3n"
GOOD = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
FORGED = (
    {"Content-Type": "application/json"},
    GOOD | {"Authorization": "Bearer t0k3m"},
    GOOD | {"Authorization": "Bearer "},
    GOOD | {"Authorization": f"Bearer {TOKEN}x"},
    GOOD | {"Authorization": f"Basic {TOKEN}"},
)


class Kind(StrEnum):
    """
    What is wrong with a post.
    """

    DUPLICATE = "duplicate"
    RESOLVED_FIRST = "resolved-first"
    REPLAY = "replay"
    FORGED = "forged"
    TRUNCATED = "truncated"
    TOO_BIG = "too-big"


SHARES = {
    Kind.DUPLICATE: 60,
    Kind.RESOLVED_FIRST: 10,
    Kind.REPLAY: 10,
    Kind.FORGED: 10,
    Kind.TRUNCATED: 9,
    Kind.TOO_BIG: 1,
}


class Post(NamedTuple):
    """
    One post, and what is wrong with it.
    """

    kind: Kind
    headers: dict[str, str]
    body: bytes


def alert(
    instance: str,
    at: datetime,
    *,
    name: str = "ProbeFail",
    status: str = "firing",
) -> dict[str, object]:
    """
    An alert about a member, as Alertmanager sends it. The same firing has the same fingerprint.
    """
    slot = instance.rpartition("-g")[0].rpartition("-")[2]
    return {
        "status": status,
        "labels": {
            "alertname": name,
            "platform": "demo",
            "service": "shop",
            "group": "web",
            "slot": slot,
            "instance_name": instance,
            "severity": "heal",
            "tier": "cause",
        },
        "annotations": {"summary": f"{instance} does not answer"},
        "startsAt": at.isoformat(),
        "endsAt": (at + timedelta(seconds=1)).isoformat(),
        "fingerprint": f"{sum(f'{name}{instance}'.encode()):016x}",
    }


def message(*alerts: dict[str, object]) -> bytes:
    """
    A webhook message around alerts.
    """
    return json.dumps(
        {"version": "4", "receiver": "heal", "alerts": alerts, "groupLabels": {}}
    ).encode()


def posts(
    count: int, sick: str, well: str, now: datetime, *, seed: int = 0, big: int = 0
) -> list[Post]:
    """
    So many posts in a random order: the incident of `sick` told again and again; `well` told of as resolved and as of yesterday.

    Args:
        count: How many.
        sick: The member that really is.
        well: A member that is not.
        now: When the incident began.
        seed: Of their order.
        big: Bytes of a post that is too big; 0: just over the limit.
    """
    dice = random.Random(seed)
    yesterday = now - timedelta(days=1)
    bodies = {
        Kind.DUPLICATE: message(alert(sick, now)),
        Kind.RESOLVED_FIRST: message(
            alert(well, now, name="MemberErrors", status="resolved"),
            alert(well, now, name="MemberErrors"),
        ),
        Kind.REPLAY: message(alert(well, yesterday)),
        Kind.FORGED: message(alert(well, now, name="Forged")),
        Kind.TRUNCATED: message(alert(well, now, name="Cut")),
        Kind.TOO_BIG: b" " * (big or 1_048_577),
    }
    made = []
    kinds = dice.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    for kind in kinds:
        body, headers = bodies[kind], GOOD
        if kind is Kind.FORGED:
            headers = dice.choice(FORGED)
        elif kind is Kind.TRUNCATED:
            body = body[: dice.randrange(1, len(body) - 1)]
        made.append(Post(kind, headers, body))
    return made
