"""
Databases, users and extensions: what is asked for against what is there. Pure.

Nothing here takes data away: a database that is no longer named stays, and a user that is no longer named can no longer log in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from fournines.model.value import Value

MARK = "fournines_users"
"""A role without login whose members are the users made here: what else is in the database is nobody's business."""

NO_LIMIT = -1
"""PostgreSQL's word for as many connections as there are."""

OURS = "fournines"
"""A database and a user of the platform's own, for its probe transactions."""


class User(Value):
    """
    Somebody to whom things belong. `reads` names databases of which everything may be read.
    """

    connections_max: int | None = None
    reads: tuple[str, ...] = ()


class Database(Value):
    """
    A database with its owner.
    """

    owner: str
    extensions: tuple[str, ...] = ()


class Asked(Value):
    """
    What a service's parameters ask for.
    """

    databases: dict[str, Database] = Field(default_factory=dict)
    users: dict[str, User] = Field(default_factory=dict)
    logins: dict[str, str] = Field(default_factory=dict)
    """Every name that may log in now, with the user it is: during a rotation two, which own nothing, or the user itself."""


class Login(Value):
    """
    A user, or one of its logins, as it is. `password_fits`: its password is the one in our store. `reads`: databases of others that it may enter.
    `acts_as`: the user that its sessions are.
    """

    may_log_in: bool
    password_fits: bool
    connections_max: int | None = None
    reads: tuple[str, ...] = ()
    acts_as: str | None = None


class Present(Value):
    """
    What is there: databases (templates and `postgres` aside), users made here, and databases that every user may enter.
    """

    databases: dict[str, Database] = Field(default_factory=dict)
    users: dict[str, Login] = Field(default_factory=dict)
    open_to_all: tuple[str, ...] = ()


class MakeUser(Value):
    """
    Make a user, who cannot log in yet.
    """

    WORDS: ClassVar[str] = "user {user} is made"
    kind: Literal["make-user"] = "make-user"
    user: str


class ActAs(Value):
    """
    Have the sessions of a login be those of a user: what they make belongs to the user, whatever login made it.
    """

    WORDS: ClassVar[str] = "{login} acts as user {user}"
    kind: Literal["act-as"] = "act-as"
    login: str
    user: str


class SetPassword(Value):
    """
    Give a user the password in our store, and let it log in.
    """

    WORDS: ClassVar[str] = "user {user} has the password of the store"
    kind: Literal["set-password"] = "set-password"
    user: str


class Lock(Value):
    """
    Let a user log in no more.
    """

    WORDS: ClassVar[str] = "user {user} can no longer log in"
    kind: Literal["lock"] = "lock"
    user: str


class LimitConnections(Value):
    """
    How many connections a user may have; -1: as many as there are.
    """

    WORDS: ClassVar[str] = "user {user} has {connections_max} connections at most"
    kind: Literal["limit-connections"] = "limit-connections"
    user: str
    connections_max: int


class MakeDatabase(Value):
    """
    Make an empty database that belongs to a user.
    """

    WORDS: ClassVar[str] = "database {database} is made for {owner}"
    kind: Literal["make-database"] = "make-database"
    database: str
    owner: str


class CloseDatabase(Value):
    """
    Let only its owner, its readers and the pooler enter a database.
    """

    WORDS: ClassVar[str] = "database {database} is closed to strangers"
    kind: Literal["close-database"] = "close-database"
    database: str


class SetOwner(Value):
    """
    Give a database another owner.
    """

    WORDS: ClassVar[str] = "database {database} belongs to {owner}"
    kind: Literal["set-owner"] = "set-owner"
    database: str
    owner: str


class AddExtension(Value):
    """
    Have an extension in a database.
    """

    WORDS: ClassVar[str] = "database {database} has {extension}"
    kind: Literal["add-extension"] = "add-extension"
    database: str
    extension: str


class LetRead(Value):
    """
    Let a user read all there is and will be in a database.
    """

    WORDS: ClassVar[str] = "user {user} may read database {database}"
    kind: Literal["let-read"] = "let-read"
    user: str
    database: str


class KeepOut(Value):
    """
    Let a user into a database no more.
    """

    WORDS: ClassVar[str] = "user {user} may no longer read database {database}"
    kind: Literal["keep-out"] = "keep-out"
    user: str
    database: str


Change = Annotated[
    MakeUser
    | ActAs
    | SetPassword
    | Lock
    | LimitConnections
    | MakeDatabase
    | CloseDatabase
    | SetOwner
    | AddExtension
    | LetRead
    | KeepOut,
    Field(discriminator="kind"),
]


def asked_for(
    parameters: Mapping[str, Any], logins: Callable[[str], Iterable[str]]
) -> Asked:
    """
    What a service's parameters (checked against the blueprint's schema before) ask for, and what the platform has there itself. `logins` gives the
    names under which a user is let in; the platform's own logs in as itself.
    """
    return Asked(
        databases={
            **{
                name: Database.model_validate(one)
                for name, one in parameters["databases"].items()
            },
            OURS: Database(owner=OURS),
        },
        users={
            **{
                name: User.model_validate(one)
                for name, one in parameters["users"].items()
            },
            OURS: User(),
        },
        logins={
            OURS: OURS,
            **{login: name for name in parameters["users"] for login in logins(name)},
        },
    )


def changes(asked: Asked, present: Present) -> tuple[Change, ...]:
    """
    What is to be done, in an order in which it can be done: users, databases, what is in them, who may read them, whom to lock out.
    """
    return (
        *_users(asked, present),
        *_databases(asked, present),
        *_readers(asked, present),
        *(
            Lock(user=name)
            for name, login in sorted(present.users.items())
            if name not in asked.logins and login.may_log_in
        ),
    )


def in_words(change: Change) -> str:
    """
    A change for people: one clause.
    """
    return change.WORDS.format(**change.model_dump())


def let_in_by(change: Change) -> str:
    """
    The user or login that a change lets in; empty when it is about something else.
    """
    match change:
        case ActAs(login=login):
            return login
        case MakeUser(user=user) | SetPassword(user=user):
            return user
        case _:
            return ""


def _users(asked: Asked, present: Present) -> Iterator[Change]:
    for name in sorted(asked.users):
        if name not in present.users:
            yield MakeUser(user=name)
    for name, user in sorted(asked.logins.items()):
        login = present.users.get(name)
        if login is None and name not in asked.users:
            yield MakeUser(user=name)
        if name != user and (login is None or login.acts_as != user):
            yield ActAs(login=name, user=user)
        if login is None or not (login.may_log_in and login.password_fits):
            yield SetPassword(user=name)
        limit = asked.users[user].connections_max
        if limit != (login.connections_max if login else None):
            yield LimitConnections(user=name, connections_max=limit or NO_LIMIT)


def _databases(asked: Asked, present: Present) -> Iterator[Change]:
    for name, database in sorted(asked.databases.items()):
        found = present.databases.get(name)
        if found is None:
            yield MakeDatabase(database=name, owner=database.owner)
        elif found.owner != database.owner:
            yield SetOwner(database=name, owner=database.owner)
        if found is None or name in present.open_to_all:
            yield CloseDatabase(database=name)
        there = found.extensions if found else ()
        for extension in database.extensions:
            if extension not in there:
                yield AddExtension(database=name, extension=extension)


def _readers(asked: Asked, present: Present) -> Iterator[Change]:
    for name, user in sorted(asked.users.items()):
        login = present.users.get(name)
        for database in user.reads:
            if login is None or database not in login.reads:
                yield LetRead(user=name, database=database)
        for database in login.reads if login else ():
            if database not in user.reads:
                yield KeepOut(user=name, database=database)
