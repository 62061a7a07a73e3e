"""
What a message bus should hold: what is refused before anything is touched, and what is asked of it.
"""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.rabbitmq import reconciling, topology
from blueprints.rabbitmq.reconciling import Observed
from blueprints.rabbitmq.topology import LIMITS_POLICY, OPERATOR

ORDERS = {
    "vhosts": ["main", "shop"],
    "users": [{"name": "app", "permissions": [{"vhost": "shop"}]}],
    "exchanges": [{"vhost": "shop", "name": "orders"}],
    "queues": [{"vhost": "shop", "name": "paid"}],
    "bindings": [
        {
            "vhost": "shop",
            "source": "orders",
            "destination": "paid",
            "routing_key": "order.paid",
        }
    ],
    "policies": [
        {
            "vhost": "shop",
            "name": "short",
            "pattern": "^paid$",
            "definition": {"message-ttl": 60_000},
        }
    ],
    "limits": {},
}


def with_one(kind, **changes):
    """Good parameters, the first of a kind changed."""
    first = {**ORDERS[kind][0], **changes}
    return {**ORDERS, kind: [first, *ORDERS[kind][1:]]}


def said(parameters):
    """What is wrong, as `place: message`."""
    return [
        f"{'.'.join(map(str, path))}: {message}"
        for path, message in topology.complaints(parameters)
    ]


def test_good_parameters_are_good():
    """
    A topology whose ends all meet is taken.
    """
    assert said(ORDERS) == []


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        pytest.param(
            with_one("bindings", source="ordres"),
            "bindings.0.source: there is no exchange 'ordres' in vhost 'shop'; declare "
            "it, or mend the name",
            id="absent exchange",
        ),
        pytest.param(
            with_one("bindings", source=""),
            "bindings.0.source: the default exchange takes no bindings: it leads to "
            "every queue by its name",
            id="default exchange",
        ),
        pytest.param(
            with_one("bindings", destination="payed"),
            "bindings.0.destination: there is no queue 'payed' in vhost 'shop'; declare "
            "it, or mend the name",
            id="absent queue",
        ),
        pytest.param(
            with_one("bindings", destination_type="exchange"),
            "bindings.0.destination: there is no exchange 'paid' in vhost 'shop'; "
            "declare it, or mend the name",
            id="a queue taken for an exchange",
        ),
        pytest.param(
            with_one("queues", arguments={"x-max-priority": 5}),
            "queues.0.arguments.x-max-priority: a quorum queue has no such argument; it "
            "has x-dead-letter-exchange, x-dead-letter-routing-key, "
            "x-dead-letter-strategy, x-delivery-limit, x-expires, x-max-length, "
            "x-max-length-bytes, x-message-ttl, x-overflow, "
            "x-queue-leader-locator, x-quorum-initial-group-size, "
            "x-single-active-consumer",
            id="unknown argument",
        ),
        pytest.param(
            with_one("queues", arguments={"x-queue-type": "classic"}),
            "queues.0.arguments.x-queue-type: say `type` of the queue instead",
            id="type as an argument",
        ),
        pytest.param(
            with_one("queues", arguments={"x-dead-letter-exchange": "graves"}),
            "queues.0.arguments.x-dead-letter-exchange: there is no exchange 'graves' "
            "in vhost 'shop'",
            id="dead letters to nowhere",
        ),
        pytest.param(
            with_one("policies", vhost="shoop"),
            "policies.0.vhost: there is no vhost 'shoop'; add it to `vhosts`",
            id="absent vhost",
        ),
        pytest.param(
            with_one("users", permissions=[{"vhost": "shoop"}]),
            "users.0.permissions.0.vhost: there is no vhost 'shoop'; add it to `vhosts`",
            id="permission in an absent vhost",
        ),
        pytest.param(
            with_one("users", name=OPERATOR, permissions=[]),
            "users.0: 'fournines' is the platform's own user",
            id="the platform's user",
        ),
        pytest.param(
            with_one("policies", name=LIMITS_POLICY),
            f"policies.0: '{LIMITS_POLICY}' is made from `limits`",
            id="the platform's policy",
        ),
        pytest.param(
            {**ORDERS, "queues": ORDERS["queues"] * 2},
            "queues.1.name: 'paid' stands here twice",
            id="twice",
        ),
    ],
)
def test_a_topology_that_cannot_be_is_refused(parameters, complaint):
    """
    One sentence says which end is loose and what to do.
    """
    assert said(parameters) == [complaint]


EMPTY = Observed(
    vhosts=({"name": "/"},),
    users=({"name": OPERATOR, "tags": ["administrator"]},),
    permissions=(
        {
            "user": OPERATOR,
            "vhost": "main",
            "configure": ".*",
            "write": ".*",
            "read": ".*",
        },
    ),
)


def asked(wanted, seen):
    """The requests, as `METHOD path`."""
    return [f"{c.method} {c.path}" for c in reconciling.changes(wanted, seen)]


def test_everything_is_made_in_an_order_that_works():
    """
    Vhosts before what is in them, users before permissions, queues before bindings; durable quorum queues, and a default for others.
    """
    wanted = topology.of(ORDERS)

    assert asked(wanted, EMPTY) == [
        "PUT /api/vhosts/main",
        "PUT /api/vhosts/shop",
        "PUT /api/permissions/shop/fournines",
        "PUT /api/users/app",
        "PUT /api/permissions/shop/app",
        "PUT /api/exchanges/shop/orders",
        "PUT /api/queues/shop/paid",
        "POST /api/bindings/shop/e/orders/q/paid",
        "PUT /api/policies/shop/short",
        "PUT /api/policies/main/fournines-limits",
        "PUT /api/policies/shop/fournines-limits",
    ]
    bodies = {c.path: c.body for c in reconciling.changes(wanted, EMPTY)}
    assert bodies["/api/vhosts/shop"] == {"defaultqueuetype": "quorum"}
    assert bodies["/api/queues/shop/paid"] == {
        "durable": True,
        "auto_delete": False,
        "arguments": {"x-queue-type": "quorum"},
    }
    limits = bodies["/api/policies/shop/fournines-limits"]["definition"]
    assert limits["overflow"] == "reject-publish"


def test_a_password_never_stands_in_a_change():
    """
    A change names the user whose password belongs into it; the operator puts it there.
    """
    [user] = [
        c
        for c in reconciling.changes(topology.of(ORDERS), EMPTY)
        if "/users/" in c.path
    ]

    assert user.password_of == "app"
    assert "password" not in user.body


def held(wanted):
    """What the management API lists once all of a topology is made."""
    permissions = [
        {"user": user.name, **permission.model_dump()}
        for user in wanted.users
        for permission in user.permissions
    ]
    ours = [
        {
            "user": OPERATOR,
            "vhost": vhost,
            "configure": ".*",
            "write": ".*",
            "read": ".*",
        }
        for vhost in wanted.vhosts
    ]
    return Observed(
        vhosts=tuple(
            {"name": vhost, "default_queue_type": "quorum"} for vhost in wanted.vhosts
        ),
        users=(
            {"name": OPERATOR, "tags": ["administrator"]},
            *({"name": u.name, "tags": list(u.tags)} for u in wanted.users),
        ),
        permissions=(*ours, *permissions),
        exchanges=tuple(
            {"vhost": e.vhost, "name": e.name, "type": e.type} for e in wanted.exchanges
        ),
        queues=tuple(
            {
                "vhost": q.vhost,
                "name": q.name,
                "type": q.type,
                "arguments": q.full_arguments,
            }
            for q in wanted.queues
        ),
        bindings=tuple(b.model_dump() for b in wanted.bindings),
        policies=tuple(
            {
                "vhost": p.vhost,
                "name": p.name,
                "pattern": p.pattern,
                "apply-to": p.apply_to,
                "priority": p.priority,
                "definition": p.definition,
            }
            for p in wanted.all_policies()
        ),
    )


def test_what_nobody_declares_any_more_goes_if_only_we_can_make_it():
    """
    Users, permissions and policies go; queues, exchanges, bindings and vhosts, which may hold messages, stay.
    """
    seen = held(topology.of(ORDERS))
    bare = topology.of({"vhosts": ["main"], "users": [], "limits": {}})

    assert asked(bare, seen) == [
        "DELETE /api/users/app",
        "DELETE /api/policies/shop/fournines-limits",
        "DELETE /api/policies/shop/short",
    ]


@pytest.mark.parametrize(
    ("queue", "sentence"),
    [
        (
            {"type": "classic", "arguments": {"x-queue-type": "classic"}},
            "is a classic queue, not a quorum one",
        ),
        (
            {
                "type": "quorum",
                "arguments": {"x-queue-type": "quorum", "x-max-length": 5},
            },
            "has another x-max-length",
        ),
    ],
)
def test_a_queue_that_is_another_is_a_conflict(queue, sentence):
    """
    A queue cannot be changed and is never deleted: the sentence says what differs, and nothing is asked of the bus for it.
    """
    wanted = topology.of(ORDERS)
    seen = held(wanted).model_copy(
        update={"queues": ({"vhost": "shop", "name": "paid", **queue},)}
    )

    [found] = reconciling.conflicts(wanted, seen)
    assert f"queue 'paid' of vhost 'shop' {sentence}" in found
    assert asked(wanted, seen) == []


NAMES = st.sampled_from(["a", "b", "c"])
TOPOLOGIES = st.builds(
    lambda queues, exchanges, users: topology.of(
        {
            "vhosts": ["main", "x"],
            "queues": [{"name": n, "vhost": v} for v, n in queues],
            "exchanges": [{"name": n, "vhost": v} for v, n in exchanges],
            "bindings": [
                {"vhost": v, "source": "amq.topic", "destination": n} for v, n in queues
            ],
            "users": [{"name": n, "tags": t} for n, t in users.items()],
            "limits": {},
        }
    ),
    st.sets(st.tuples(st.sampled_from(["main", "x"]), NAMES)),
    st.sets(st.tuples(st.sampled_from(["main", "x"]), NAMES)),
    st.dictionaries(NAMES, st.lists(st.just("management"), max_size=1)),
)


@given(TOPOLOGIES)
def test_law_what_is_held_asks_for_nothing(wanted):
    """
    Applied twice, the second time changes nothing, and nothing conflicts with itself.
    """
    assert asked(wanted, held(wanted)) == []
    assert reconciling.conflicts(wanted, held(wanted)) == ()


@given(TOPOLOGIES, TOPOLOGIES)
def test_law_nothing_that_holds_messages_is_taken_away(before, after):
    """
    Whatever is declared next, no queue, exchange, binding or vhost is ever deleted, and the platform's user stays.
    """
    deleted = [
        c.path for c in reconciling.changes(after, held(before)) if c.method == "DELETE"
    ]

    kinds = {path.split("/")[2] for path in deleted}
    assert kinds <= {"users", "permissions", "policies"}
    assert f"/api/users/{OPERATOR}" not in deleted


def _kept(password):
    salt = b"salt"
    return base64.b64encode(salt + hashlib.sha256(salt + password).digest()).decode()


SALTED, OTHER = _kept(b"secret"), _kept(b"other")


def test_a_password_that_is_not_the_stores_is_set():
    """A user that is there with another password gets ours, and nothing else of it is touched."""
    wanted = topology.of(ORDERS)
    seen = held(wanted)
    name = wanted.users[0].name

    (change,) = reconciling.changes(wanted, seen, stale={name})

    assert (change.said, change.password_of) == (f"password of {name}", name)


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        pytest.param({"password_hash": SALTED}, True, id="ours"),
        pytest.param({"password_hash": OTHER}, False, id="another"),
        pytest.param(
            {"password_hash": OTHER, "hashing_algorithm": "x"}, True, id="unknown-hash"
        ),
        pytest.param({}, True, id="not-told"),
    ],
)
def test_a_password_is_known_by_its_hash(body, fits):
    """As RabbitMQ keeps it: four bytes of salt, and the digest of salt and password."""
    body = {"hashing_algorithm": "rabbit_password_hashing_sha256", **body}

    assert reconciling.password_fits(body, "secret") is fits
