"""
After a backup, the full ones that no generation needs are given up: the order to the member's own program, told by respx over the simulated cloud.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import respx

from blueprints.postgres import repository as reading
from fournines.trust import salted
from tasks import archiving, deployment, repositories, vaults
from tasks.operators.simulated import SimulatedOperator
from tests.story.test_restoring import a_world, compiled

TEXT = """\
platform: demo
services:
  db:
    blueprint: postgres
    parameters:
      volume_size_gb: 2
      settings: {max_wal_size: 64MB}
      backups: {fulls_kept: 2, months_kept: 1}
"""


class Member:
    """
    A database that is deployed on New Year's Day, and the program beside each of its members.
    """

    def __init__(self, router, *days_ago) -> None:
        world = a_world()
        self.clock = world.clock
        operator = SimulatedOperator(world.cloud, world.clock)
        self.workshop = replace(
            world.workshop(), operators={"postgres": lambda _: operator}
        )
        done = deployment.deploy(self.workshop, compiled(TEXT))
        assert done.ok, done.sentence()
        self.platform = world.store.registry.platform("demo")
        self.fulls = {}
        self.last = None
        self.expired = []
        self.knows_expire = True
        for days in days_ago:
            self.take(self.clock.now() - timedelta(days=days), "")
        router.route(port=8009).mock(side_effect=self.answer)

    def take(self, at, order):
        """A full backup that ended then."""
        stop = int(at.timestamp())
        self.fulls[f"{at:%Y%m%d-%H%M%S}F"] = {
            "backup-timestamp-start": stop - 60,
            "backup-timestamp-stop": stop,
            "backup-type": "full",
            "backup-info-size": 1,
            "backup-info-repo-size-delta": 1,
            "backup-annotation": {"order": order},
        }
        self.write()

    def write(self):
        """What pgBackRest keeps its list in."""
        vault = vaults.opened(self.workshop, "demo", "db")
        text = "\n".join(f"{k}={json.dumps(v)}" for k, v in self.fulls.items())
        sealed = salted.sealed(text.encode(), vault.cipher, b"saltsalt")
        vault.store.write(vault.bucket, reading.INFO, sealed)

    def answer(self, request):
        """One call."""
        path = request.url.path
        if path == "/state":
            return httpx.Response(200, json={"ready": True, "last": self.last})
        body = json.loads(request.content)
        if path == "/backup":
            self.take(self.clock.now(), body["order"])
        elif not self.knows_expire:
            return httpx.Response(404, json={"said": "there is no order /expire"})
        else:
            self.expired.append(body["set"])
            del self.fulls[body["set"]]
            self.write()
        self.last = {"order": body["order"], "good": True}
        return httpx.Response(202, json={"said": "begun"})


@pytest.fixture
def router():
    """The way to the members."""
    with respx.mock(assert_all_called=False) as router:
        yield router


def test_what_no_generation_needs_goes_after_a_backup(router):
    """
    Two fathers stay, and the last of December, which is one of them; the older ones go one by one, the oldest first, and no other.
    """
    member = Member(router, 70, 40, 9, 2)

    made = archiving.backup(member.workshop, member.platform, "db", "full")

    days = [label[:8] for label in member.expired]
    assert days == ["20251023", "20251122", "20251223"]
    kept = repositories.read(member.workshop, "demo", "db").backups
    assert [one.label[:8] for one in kept] == ["20251230", made.label[:8]]


def test_a_member_that_knows_no_such_order_keeps_all(router):
    """
    One that was made before there were months: the backup counts all the same, and nothing is lost.
    """
    member = Member(router, 70, 40, 9, 2)
    member.knows_expire = False

    assert archiving.backup(member.workshop, member.platform, "db", "full").label

    assert member.expired == []
    assert len(repositories.read(member.workshop, "demo", "db").backups) == 5
