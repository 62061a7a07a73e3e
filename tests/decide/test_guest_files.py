"""
Programs that a blueprint brings into its instances, and what those of the message bus and the cache decide there.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from blueprints import catalogue, platform_file
from blueprints.cache.guest import member as cache_member
from blueprints.compiling import compile_platform
from blueprints.rabbitmq.guest import member as bus_member

WEB = Path(catalogue.__file__).parent / "web"
A, B, C = (f"rabbit@10.0.0.{n}" for n in (10, 11, 12))


def test_a_program_of_the_blueprint_is_written_into_the_instance(tmp_path):
    """
    A file in the blueprint's folder `guest` is there for its user-data by its name.
    """
    folder = tmp_path / "web"
    shutil.copytree(WEB, folder)
    (folder / "guest").mkdir()
    (folder / "guest" / "greet.py").write_text('print("hello")\n')
    template = folder / "user-data.j2"
    text = template.read_text()
    added = '  - path: /greet.py\n    content: |\n      {{ files["greet.py"] | indent(6) }}\n'
    template.write_text(text.replace("runcmd:", f"{added}runcmd:"))

    file = platform_file.from_text(
        "platform: demo\nservices:\n  shop:\n    blueprint: web\n", "p.yaml"
    )
    platform = compile_platform(file, {"web": catalogue.load(folder)})
    assert 'print("hello")' in platform.services[0].groups[0].user_data


@pytest.mark.parametrize(
    ("members", "me", "running", "wants"),
    [
        pytest.param([A, B], C, {A, B, C}, True, id="the-lost-replica"),
        pytest.param([A, B, C], C, {A, B, C}, False, id="whole"),
        pytest.param([A, B], A, {A, B}, False, id="it-has-one"),
        pytest.param([A, B], C, {A, B}, False, id="it-does-not-run"),
        pytest.param([A], B, {A, B, C}, True, id="declared-while-one-node-ran"),
        pytest.param([A], C, {A, B, C}, False, id="one-after-the-other"),
        pytest.param([A], A, {A}, False, id="a-bus-of-one-has-one"),
        pytest.param(
            [A, "rabbit@10.0.0.13"], C, {A, B, C}, False, id="another-comes-first"
        ),
    ],
)
def test_one_node_takes_a_lost_replica(members, me, running, wants):
    """
    A queue with an even number of replicas, or with fewer than it could have, gets one on the first running node that has none, and on that one alone.
    """
    queue = {"type": "quorum", "members": members}

    assert bus_member.wants_replica(queue, me, running) is wants
    assert not bus_member.wants_replica({**queue, "type": "classic"}, me, running)


def test_a_queue_with_one_replica_is_grown_by_its_name():
    """
    RabbitMQ's `even` passes over a queue that was declared while a single node ran, and it would have one replica for ever; others are left alone.
    """

    class Node:
        node = C
        said: ClassVar[list[tuple[str, ...]]] = []

        def command(self, *words):
            self.said.append(words[3:])
            return True, ""

        def ask(self, _address, _path):
            return [
                {"vhost": "/", "name": "a.b", "type": "quorum", "members": [A]},
                {"vhost": "/", "name": "own", "type": "quorum", "members": [C]},
                {"vhost": "/", "name": "well", "type": "quorum", "members": [A, B]},
                {"vhost": "/", "name": "old", "type": "classic", "members": [A]},
            ]

    assert bus_member.order(Node(), "/grow") == (True, "")
    only = ("all", "--vhost-pattern", "^/$", "--queue-pattern", r"^a\.b$")
    assert Node.said == [("even",), only]


class Neighbours:
    """
    What each member's Sentinel follows, and what was said to our Redis.
    """

    def __init__(self, follows, tmp_path, role="master") -> None:
        self.follows, self.said = follows, []
        self.address, self.seeds, self.data = "a", sorted(follows), tmp_path
        self.role = role

    def redis(self):
        """Our own."""
        return self

    def sentinel(self, address):
        """Somebody's."""
        return Sentinel(self, address)

    def say(self, *words):
        """Redis' answers."""
        self.said.append(words)
        return f"role:{self.role}\r\nloading:0\r\n" if words == ("INFO",) else "OK"


class Sentinel:
    """
    One member's.
    """

    def __init__(self, neighbours, address) -> None:
        self.neighbours, self.address = neighbours, address

    def say(self, *words):
        """Whom it follows, and whom it knows."""
        follows = self.neighbours.follows
        if words[1] == "SENTINELS":
            return [["ip", other] for other in follows if other != self.address]
        if follows[self.address] is None:
            raise OSError
        return [follows[self.address], "6379"]


ALL_FOLLOW = {"a": "a", "b": "a", "c": "a"}
HUNG_UP = ("CLIENT", "KILL", "TYPE", "normal")


@pytest.mark.parametrize(
    ("follows", "primary", "fenced"),
    [
        pytest.param(ALL_FOLLOW, True, False, id="all-follow-it"),
        pytest.param({"a": "a", "b": "a", "c": None}, True, False, id="two-of-three"),
        pytest.param({"a": "a", "b": None, "c": None}, False, False, id="alone"),
        pytest.param({"a": "a", "b": "b", "c": "b"}, False, True, id="thawed"),
        pytest.param({"a": "a", "b": "b", "c": None}, False, False, id="undecided"),
    ],
)
def test_a_primary_serves_by_the_majoritys_word_alone(
    follows, primary, fenced, tmp_path
):
    """
    It answers as the primary while a majority of the Sentinels follows it; when a majority follows another it does too, and hangs up on its
    clients; when it is alone it does neither.
    """
    neighbours = Neighbours(ALL_FOLLOW, tmp_path)
    watch = cache_member.Watch(neighbours)
    watch._look()
    watch.agreed_at -= cache_member.AGREED_SECONDS_MAX
    neighbours.follows = follows
    watch._look()

    assert watch.primary is primary
    assert orders(neighbours) == ([("REPLICAOF", "b", "6379"), HUNG_UP] * fenced)
    assert watch.fenced_total == int(fenced)


def orders(neighbours):
    """
    What our Redis was told to do.
    """
    return [words for words in neighbours.said if words != ("INFO",)]


def test_a_member_that_was_just_promoted_is_not_fenced(tmp_path):
    """
    The Sentinels still name the dead primary when a replica begins to lead: it goes on, and serves as soon as they name it.
    """
    neighbours = Neighbours({"a": "b", "b": None, "c": "b"}, tmp_path, role="slave")
    watch = cache_member.Watch(neighbours)
    watch._look()
    neighbours.role = "master"
    watch._look()
    assert orders(neighbours) == []
    assert not watch.primary

    neighbours.follows = {"a": "a", "b": None, "c": "a"}
    watch._look()
    assert watch.primary


def test_a_primary_that_nobody_ever_names_is_fenced_in_the_end(tmp_path):
    """
    One that comes back with its watch begun anew, which has not heard it named: as long as a promotion would take, then it follows.
    """
    neighbours = Neighbours({"a": "b", "b": "b", "c": "b"}, tmp_path)
    watch = cache_member.Watch(neighbours)
    watch._look()
    assert orders(neighbours) == []

    watch.leads_since -= cache_member.PROMOTED_SECONDS
    watch._look()
    assert orders(neighbours) == [("REPLICAOF", "b", "6379"), HUNG_UP]


def test_an_old_word_is_no_word(tmp_path):
    """
    After a pause longer than the majority's word holds, a primary is none until the next look.
    """
    watch = cache_member.Watch(Neighbours({"a": "a", "b": "a", "c": "a"}, tmp_path))
    watch._look()
    watch.agreed_at -= cache_member.AGREED_SECONDS_MAX

    assert watch.healthy
    assert not watch.primary
