"""
The operator of PostgreSQL against what Patroni and etcd answer.
"""

from __future__ import annotations

import json
import socket
from datetime import timedelta

import httpx
import pytest
import respx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from blueprints.postgres.lifecycle import RULES
from fournines.cloud.virtual_clock import VirtualClock
from fournines.model.cluster import Role, Standing
from fournines.model.desired import Group, Service
from fournines.model.inventory import Instance, Inventory
from fournines.model.ownership import Owner
from tasks.operators import Cluster, ClusterRefused, ClusterSilent, doors
from tasks.operators.access import Access
from tasks.operators.postgres import PostgresOperator
from tests.decide.cluster_world import NOW, A, B, C

SLOTS = (A, B, C)
ADDRESSES = {slot: f"10.0.0.{10 + n}" for n, slot in enumerate(SLOTS)}


def patroni(slot, path="/cluster"):
    """Patroni's URL in a slot."""
    return f"https://{ADDRESSES[slot]}:8008{path}"


def etcd(slot, path="/v2/members"):
    """Etcd's URL in a slot."""
    return f"https://{ADDRESSES[slot]}:2379{path}"


@pytest.fixture(scope="module")
def pair():
    """A certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "demo")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


@pytest.fixture
def operator(pair):
    """The operator, at a time that moves when told."""
    access = Access(pair[0], lambda name: f"secret of {name}", lambda: pair)
    return PostgresOperator(
        lambda _: access, VirtualClock(NOW), refuses=lambda *_door: False
    )


@pytest.fixture
def cluster():
    """Three slots with their instances."""
    group = Group(
        name="pg", count=3, identity="ordinal", image="i", flavor="f", network="n"
    )
    service = Service(
        platform="demo",
        name="db",
        blueprint="postgres",
        blueprint_version="1.0.0",
        groups=(group,),
        parameters={"voters": 3, "synchronous": True, "settings": {"work_mem": "8MB"}},
    )
    instances = tuple(
        Instance(
            name=f"{slot}-g1",
            id=slot,
            status="ACTIVE",
            address=ADDRESSES[slot],
            owner=Owner(
                platform="demo", service="db", group="pg", slot=number, generation=1
            ),
        )
        for number, slot in enumerate(SLOTS)
    )
    return Cluster(
        service, group, Inventory(platform="demo", at=NOW, instances=instances)
    )


def members(*roles, **more):
    """What Patroni lists: the roles of the slots in their order; `more` are fields of single slots."""
    return {
        "members": [
            {
                "name": slot,
                "role": role,
                "state": "running",
                "timeline": 1,
                "lag": 0,
                **more.get(slot[-1:].translate(str.maketrans("012", "abc")), {}),
            }
            for slot, role in zip(SLOTS, roles, strict=True)
            if role
        ]
    }


FINE = members("leader", "sync_standby", "replica")
VOTERS = {"members": [{"id": f"id{slot[-1]}", "name": slot} for slot in SLOTS]}


def is_well(mock, *, silent=()):
    """All answer as they should, but for those that are silent."""
    for slot in SLOTS:
        if slot in silent:
            mock.get(patroni(slot)).mock(side_effect=httpx.ConnectTimeout("late"))
            mock.get(etcd(slot, "/health")).mock(
                side_effect=httpx.ConnectTimeout("late")
            )
            mock.get(etcd(slot)).mock(side_effect=httpx.ConnectTimeout("late"))
        else:
            mock.get(patroni(slot)).respond(json=FINE)
            mock.get(etcd(slot, "/health")).respond(json={"health": "true"})
            mock.get(etcd(slot)).respond(json=VOTERS)


def test_view(operator, cluster):
    """Patroni's word for the data and etcd's for the votes make one view."""
    with respx.mock(assert_all_called=False) as mock:
        is_well(mock)
        view = operator.view(cluster)

    assert [m.role for m in view.members] == [Role.PRIMARY, Role.REPLICA, Role.REPLICA]
    assert [m.instance for m in view.members] == [f"{slot}-g1" for slot in SLOTS]
    assert (view.leader, view.voters, view.votes, view.quorum) == (A, 3, 3, 2)


def test_view_past_a_silent_member(operator, cluster):
    """The others speak for a member that does not answer, and it does not vote."""
    with respx.mock(assert_all_called=False) as mock:
        is_well(mock, silent=(A,))
        for slot in (B, C):
            mock.get(patroni(slot)).respond(
                json=members(None, "leader", "sync_standby")
            )
        view = operator.view(cluster)

    assert view.leader == B
    assert (view.member(A).state, view.member(A).votes) == (Standing.STOPPED, False)
    assert view.votes == 2


def test_a_pooler_that_died_beside_a_server_that_runs(pair, cluster):
    """
    Its door refuses while Patroni calls it running: it is no full member, and nobody takes it for one. A server that is down explains its door.
    """
    access = Access(pair[0], lambda name: f"secret of {name}", lambda: pair)
    knocked = []

    def refuses(address, port):
        knocked.append(port)
        return address in {ADDRESSES[A], ADDRESSES[C]}

    operator = PostgresOperator(lambda _: access, VirtualClock(NOW), refuses=refuses)
    with respx.mock(assert_all_called=False) as mock:
        is_well(mock)
        down = members("leader", "sync_standby", "replica", c={"state": "stopped"})
        mock.get(patroni(A)).respond(json=down)
        view = operator.view(cluster)

    assert knocked == [6432, 6432, 6432]
    assert [m.shut for m in view.members] == ["its pooler refuses connections", "", ""]
    assert RULES.is_settled(view, A) == f"{A} runs, and its pooler refuses connections"
    assert not view.member(A).settled


def test_a_refused_door_is_told_from_a_silent_one():
    """
    Nobody listens at a port that was just given back; a machine that is not there refuses nothing.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert not doors.refuses("127.0.0.1", port)
    assert doors.refuses("127.0.0.1", port)
    assert not doors.refuses("no-such-host.invalid", port)


def test_nobody_answers(operator, cluster):
    """Silence is no view."""
    with respx.mock(assert_all_called=False) as mock:
        is_well(mock, silent=SLOTS)
        with pytest.raises(ClusterSilent, match="asking demo-db-pg for its members"):
            operator.view(cluster)


def test_a_primary_hands_over(operator, cluster):
    """The sync standby is asked to lead, and the call ends when it does."""
    after = members("replica", "leader", "sync_standby")
    with respx.mock(assert_all_called=False) as mock:
        mock.get(patroni(A)).mock(
            side_effect=[
                httpx.Response(200, json=FINE),
                httpx.Response(200, json=FINE),
                httpx.Response(200, json=members("replica", None, "replica")),
                httpx.Response(200, json=after),
            ]
        )
        asked = mock.post(patroni(A, "/switchover")).respond(200)
        operator.leave(cluster, A, deadline_seconds=20)

    sent = asked.calls.last.request
    assert json.loads(sent.content) == {"leader": A, "candidate": B}
    assert sent.headers["authorization"].startswith("Basic ")


def test_nobody_leads_in_time(operator, cluster):
    """A hand-over that does not end is said to have not."""
    with respx.mock(assert_all_called=False) as mock:
        mock.get(patroni(A)).respond(json=FINE)
        mock.post(patroni(A, "/switchover")).respond(200)
        with pytest.raises(ClusterSilent, match="nobody leads in its place yet"):
            operator.leave(cluster, A, deadline_seconds=3)


def test_replicas_just_go(operator, cluster):
    """A replica has nothing to hand over."""
    with respx.mock() as mock:
        mock.get(patroni(A)).respond(json=FINE)
        operator.leave(cluster, C, deadline_seconds=20)


def test_no_switchover_without_an_heir(operator, cluster):
    """Who has not everything is not asked to lead."""
    with respx.mock() as mock:
        mock.get(patroni(A)).respond(json=members("leader", "replica", "replica"))
        with pytest.raises(ClusterRefused, match="no other member is in sync now"):
            operator.switchover(cluster, None)


def test_patroni_says_no(operator, cluster):
    """Its word is passed on."""
    with respx.mock() as mock:
        mock.get(patroni(A)).respond(json=FINE)
        mock.post(patroni(A, "/switchover")).respond(412, text="candidate is not ready")
        with pytest.raises(ClusterRefused, match="412 candidate is not ready"):
            operator.switchover(cluster, None)


@pytest.mark.parametrize(
    ("fields", "admitted", "copied"),
    [
        ({}, True, False),
        ({"state": "creating replica"}, False, False),
        ({"state": "start failed"}, False, True),
        ({"lag": 300 << 20}, False, True),
        ({"lag": "unknown"}, True, False),
        ({"timeline": 0}, False, True),
        ({"timeline": 0, "state": "creating replica"}, False, False),
    ],
)
def test_admitted(operator, cluster, fields, admitted, copied):
    """A copy that can neither come up nor catch up is made anew; the rest takes its time."""
    with respx.mock(assert_all_called=False) as mock:
        mock.get(patroni(A)).respond(
            json=members("leader", "sync_standby", "replica", c=fields)
        )
        anew = mock.post(patroni(C, "/reinitialize")).respond(200)

        assert operator.admitted(cluster, C) is admitted
        assert anew.called is copied


def test_a_replica_that_follows_to_the_new_timeline_keeps_what_it_has(
    operator, cluster
):
    """A moment after a failover it is on the old one, and on the new one when it is looked at again."""
    roles = ("leader", "sync_standby", "replica")
    with respx.mock(assert_all_called=False) as mock:
        old = httpx.Response(200, json=members(*roles, c={"timeline": 0}))
        new = httpx.Response(200, json=members(*roles))
        mock.get(patroni(A)).mock(side_effect=[old, old, new])
        anew = mock.post(patroni(C, "/reinitialize")).respond(200)

        assert operator.admitted(cluster, C) is True
        assert not anew.called


def test_a_primary_is_never_copied_anew(operator, cluster):
    """Whatever it is called, what leads has the data."""
    with respx.mock(assert_all_called=False) as mock:
        mock.get(patroni(A)).respond(
            json=members("leader", "replica", "replica", a={"state": "start failed"})
        )
        anew = mock.post(patroni(A, "/reinitialize")).respond(200)

        assert operator.admitted(cluster, A) is False
        assert not anew.called


def test_a_vote_is_taken_away(operator, cluster):
    """Who is gone for ever is taken out of etcd, by another member; who does not count is left alone."""
    with respx.mock(assert_all_called=False) as mock:
        is_well(mock, silent=(C,))
        taken = mock.delete(etcd(A, "/v2/members/id2")).respond(204)
        operator.remove(cluster, C)
        operator.remove(cluster, "demo-db-pg-7")

    assert taken.call_count == 1


def test_settings_are_told_once(operator, cluster):
    """What differs is told, and the call says what it was."""
    with respx.mock(assert_all_called=False) as mock:
        mock.get(patroni(A, "/config")).respond(json={"ttl": 30})
        told = mock.patch(patroni(A, "/config")).respond(200)
        said = operator.apply_settings(cluster)

    body = json.loads(told.calls.last.request.content)
    assert body["postgresql"]["parameters"]["work_mem"] == "8MB"
    assert body["synchronous_mode_strict"] is True
    assert "work_mem is 8MB" in said


def test_a_restart_is_where_it_is(operator, cluster):
    """Patroni is asked to restart the server of that member, and of no other."""
    with respx.mock() as mock:
        restarted = mock.post(patroni(B, "/restart")).respond(200)

        operator.restart(cluster, B)

    assert restarted.called
