"""
Databases, users and extensions: what is asked for against what is there.
"""

import hypothesis
import pytest
from hypothesis import strategies as st

from blueprints.postgres import objects
from blueprints.postgres.objects import Asked, Database, Login, Present, User

ASKED = Asked(
    databases={"shop": Database(owner="app", extensions=("pg_trgm",))},
    users={"app": User(connections_max=20), "anna": User(reads=("shop",))},
    logins={"app.a": "app", "anna": "anna"},
)
FINE = Present(
    databases={"shop": Database(owner="app", extensions=("pg_trgm", "plpgsql"))},
    users={
        "app": Login(may_log_in=False, password_fits=False),
        "app.a": Login(
            may_log_in=True, password_fits=True, connections_max=20, acts_as="app"
        ),
        "anna": Login(may_log_in=True, password_fits=True, reads=("shop",)),
    },
)


def with_user(name, **changed):
    """All as it should be, but for one user."""
    login = FINE.users[name].model_copy(update=changed)
    return FINE.model_copy(update={"users": {**FINE.users, name: login}})


@pytest.mark.parametrize(
    ("present", "said"),
    [
        pytest.param(FINE, [], id="nothing to do"),
        pytest.param(
            Present(),
            [
                "user anna is made",
                "user app is made",
                "user anna has the password of the store",
                "user app.a is made",
                "app.a acts as user app",
                "user app.a has the password of the store",
                "user app.a has 20 connections at most",
                "database shop is made for app",
                "database shop is closed to strangers",
                "database shop has pg_trgm",
                "user anna may read database shop",
            ],
            id="all is new",
        ),
        pytest.param(
            with_user("app.a", password_fits=False),
            ["user app.a has the password of the store"],
            id="somebody set another password",
        ),
        pytest.param(
            with_user("app.a", may_log_in=False),
            ["user app.a has the password of the store"],
            id="somebody is back",
        ),
        pytest.param(
            with_user("app.a", connections_max=None),
            ["user app.a has 20 connections at most"],
            id="a limit",
        ),
        pytest.param(
            with_user("anna", connections_max=4),
            ["user anna has -1 connections at most"],
            id="a limit is lifted",
        ),
        pytest.param(
            with_user("app.a", acts_as=None),
            ["app.a acts as user app"],
            id="a login that would own what it makes",
        ),
        pytest.param(
            with_user("app", may_log_in=True, password_fits=True),
            ["user app can no longer log in"],
            id="a user with logins of its own is none itself",
        ),
        pytest.param(
            with_user("anna", reads=("shop", "old")),
            ["user anna may no longer read database old"],
            id="read no more",
        ),
        pytest.param(
            FINE.model_copy(
                update={
                    "users": {
                        **FINE.users,
                        "bob": Login(may_log_in=True, password_fits=False),
                        "eve": Login(may_log_in=False, password_fits=False),
                    }
                }
            ),
            ["user bob can no longer log in"],
            id="no longer named: locked once, never dropped",
        ),
        pytest.param(
            FINE.model_copy(
                update={
                    "databases": {
                        "shop": Database(owner="anna"),
                        "old": Database(owner="app"),
                    },
                    "open_to_all": ("shop",),
                }
            ),
            [
                "database shop belongs to app",
                "database shop is closed to strangers",
                "database shop has pg_trgm",
            ],
            id="owner, door, extension; another database stays",
        ),
    ],
)
def test_changes(present, said):
    """What differs is brought to what was asked for, in an order that works, and no data is taken away."""
    found = objects.changes(ASKED, present)

    assert [objects.in_words(change) for change in found] == said


def test_a_rotation_adds_before_it_takes_away():
    """Both logins are let in while both are asked for; then the former one is locked, and comes back with another password."""
    both = ASKED.model_copy(
        update={"logins": {**ASKED.logins, "app.b": "app"}},
    )
    then = ASKED.model_copy(update={"logins": {"app.b": "app", "anna": "anna"}})

    found = objects.changes(both, FINE)
    assert [objects.in_words(change) for change in found] == [
        "user app.b is made",
        "app.b acts as user app",
        "user app.b has the password of the store",
        "user app.b has 20 connections at most",
    ]
    assert [objects.let_in_by(change) for change in found] == [*["app.b"] * 3, ""]
    during = done(FINE, found)
    found = objects.changes(then, during)
    assert [objects.in_words(change) for change in found] == [
        "user app.a can no longer log in"
    ]
    # The store's password of app.a is a new one by then.
    after = done(during, found)
    stale = again(after.users["app.a"], password_fits=False)
    after = again(after, users={**after.users, "app.a": stale})
    found = objects.changes(both, after)
    assert [objects.in_words(change) for change in found] == [
        "user app.a has the password of the store"
    ]


def test_the_platform_has_its_own():
    """Beside what the owner asks for there is a database and a user for probe transactions."""
    asked = objects.asked_for(
        {"databases": {"app": {"owner": "app"}}, "users": {"app": {}}},
        lambda user: (f"{user}.a", f"{user}.b"),
    )

    assert asked.databases["fournines"].owner == "fournines"
    assert set(asked.users) == {"app", "fournines"}
    assert asked.logins == {"app.a": "app", "app.b": "app", "fournines": "fournines"}


NAMES = st.sampled_from(["a", "b", "c"])


@st.composite
def wishes(draw):
    """Some users, and databases that belong to them."""
    users = draw(st.sets(NAMES, min_size=1))
    databases = draw(st.dictionaries(NAMES, st.sampled_from(sorted(users))))
    return Asked(
        users={
            name: User(
                connections_max=draw(st.sampled_from([None, 5])),
                reads=tuple(
                    sorted(
                        d
                        for d in databases
                        if databases[d] != name and draw(st.booleans())
                    )
                ),
            )
            for name in users
        },
        databases={name: Database(owner=owner) for name, owner in databases.items()},
        logins={
            login: name
            for name in users
            for login in draw(
                st.sets(st.sampled_from([name, f"{name}.a", f"{name}.b"]), min_size=1)
            )
        },
    )


@hypothesis.given(wishes(), wishes())
def test_changes_settle(before, after):
    """Done in their order, the changes leave nothing to do, and no database is lost."""
    world = done(Present(), objects.changes(before, Present()))
    there = done(world, objects.changes(after, world))

    assert objects.changes(after, there) == ()
    assert set(there.databases) >= set(before.databases)
    assert {n for n, one in there.users.items() if one.may_log_in} == set(after.logins)
    assert all(
        there.users[login].acts_as == user
        for login, user in after.logins.items()
        if login != user
    )


def done(world, changes):  # noqa: C901 - one arm for each change
    """A world in which changes were performed; each must find what it needs."""
    databases, users = dict(world.databases), dict(world.users)
    open_to_all = set(world.open_to_all)
    for change in changes:
        match change:
            case objects.MakeUser(user=user):
                assert user not in users
                users[user] = Login(may_log_in=False, password_fits=False)
            case objects.ActAs(login=login, user=user):
                assert user in users
                users[login] = again(users[login], acts_as=user)
            case objects.SetPassword(user=user):
                users[user] = again(users[user], may_log_in=True, password_fits=True)
            case objects.Lock(user=user):
                users[user] = again(users[user], may_log_in=False)
            case objects.LimitConnections(user=user, connections_max=limit):
                users[user] = again(
                    users[user], connections_max=None if limit < 0 else limit
                )
            case objects.MakeDatabase(database=name, owner=owner):
                assert owner in users
                databases[name] = Database(owner=owner)
                open_to_all.add(name)
            case objects.CloseDatabase(database=name):
                open_to_all.remove(name)
            case objects.SetOwner(database=name, owner=owner):
                databases[name] = again(databases[name], owner=owner)
                reads = tuple(d for d in users[owner].reads if d != name)
                users[owner] = again(users[owner], reads=reads)
            case objects.LetRead(user=user, database=name):
                assert name in databases
                reads = tuple(sorted({*users[user].reads, name}))
                users[user] = again(users[user], reads=reads)
            case objects.KeepOut(user=user, database=name):
                reads = tuple(d for d in users[user].reads if d != name)
                users[user] = again(users[user], reads=reads)
    return Present(
        databases=databases, users=users, open_to_all=tuple(sorted(open_to_all))
    )


def again(value, **changed):
    """A value with other fields."""
    return value.model_copy(update=changed)
