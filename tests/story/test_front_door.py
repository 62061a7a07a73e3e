"""
From abuse at the door to what is done in the cloud: one action per incident, whatever else arrives.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from alerts.receiver import Door
from fournines.cloud.simulated import Behaviour
from fournines.model.case import CaseState
from tests.story import abuse
from tests.story.abuse import Kind
from tests.story.clinic import Clinic, a_service

POSTS = 2_000
SICK, WELL = "demo-shop-web-1-g1", "demo-shop-web-3-g1"


@pytest.fixture
def clinic(tmp_path):
    """
    A deployed service.
    """
    return Clinic(tmp_path)


async def _send(door, posts):
    answers = Counter()
    transport = httpx.ASGITransport(Starlette(routes=[door.route]))
    async with (
        door.committing(),
        httpx.AsyncClient(transport=transport, base_url="http://door") as client,
    ):
        for start in range(0, len(posts), 50):
            part = posts[start : start + 50]
            said = await asyncio.gather(
                *(
                    client.post("/alerts", content=post.body, headers=post.headers)
                    for post in part
                )
            )
            for post, answer in zip(part, said, strict=True):
                answers[post.kind, answer.status_code] += 1
    return answers


def test_two_thousand_posts_one_incident_one_replacement(clinic):
    """
    Duplicates, resolved first, replays, forged, truncated and too big: one drain, one replacement, and the well member is left alone.
    """
    clinic.cloud.break_instance(SICK, Behaviour.KILL)
    at = clinic.clock.now()

    door = Door(
        inbox=clinic.store.inbox,
        tokens=lambda: (abuse.TOKEN,),
        clock=clinic.clock,
        on_new=clinic.moves.consider_all,
        on_watchdog=lambda: None,
        registry=CollectorRegistry(),
    )
    posts = abuse.posts(POSTS, SICK, WELL, at)
    answers = asyncio.run(_send(door, posts))
    first_moves = [
        call.subject for call in clinic.cloud.calls if call.name == "set_weight"
    ]
    closed = clinic.heal()
    clinic.heal()

    assert {code for kind, code in answers if kind is Kind.FORGED} <= {401, 429}
    assert {code for kind, code in answers if kind is Kind.TRUNCATED} == {400}
    assert {code for kind, code in answers if kind is Kind.TOO_BIG} == {413}
    assert answers[Kind.DUPLICATE, 202] == sum(
        number for (kind, _), number in answers.items() if kind is Kind.DUPLICATE
    )
    assert len(first_moves) == 1
    assert clinic.changes().count("ensure_instance") == 1
    assert {case.state for case in closed} == {CaseState.RECOVERED}
    acted = [case.subject.slot for case in closed if case.plan_id is not None]
    assert acted == [1]
    assert clinic.members()[WELL] == 1
    names = {r.name for r in clinic.store.inbox.firing("demo", "shop")}
    assert names == {"ProbeFail"}


@pytest.mark.parametrize(
    ("sick", "drained"),
    [
        pytest.param(3, 3, id="half-of-six"),
        pytest.param(6, 0, id="all-of-six-is-no-members-fault"),
    ],
)
def test_a_commit_of_many_alerts_decides_as_one_by_one(tmp_path, sick, drained):
    """
    With one look at the store for all of them the same members are drained as one by one, and the floor of two holds.
    """
    found = []
    for together in (True, False):
        clinic = Clinic(tmp_path / str(together), service=a_service(count=6))
        names = [f"demo-shop-web-{slot}-g1" for slot in range(sick)]
        moves, clinic.moves = clinic.moves, Deaf()
        records = tuple(clinic.alert(name) for name in names)
        if together:
            moves.consider_all(records)
        else:
            for record in records:
                moves.consider(record)
        found.append(sorted(name for name, w in clinic.members().items() if not w))

    assert found[0] == found[1]
    assert len(found[0]) == drained


class Deaf:
    """
    Hears no alert: the test tells them itself.
    """

    def consider(self, record):
        """Nothing."""
