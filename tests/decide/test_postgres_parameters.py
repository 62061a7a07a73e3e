"""
What people ask of a PostgreSQL service, and what they are told when it makes no sense.
"""

import pytest

from blueprints import platform_file
from blueprints.compiling import compile_platform
from blueprints.postgres import settings
from blueprints.problem import BlueprintError
from tests.decide.planned_world import CATALOGUE


def complaints(parameters):
    """What a database service with such parameters is told, without the place in the file."""
    text = (
        "platform: demo\nservices:\n  db:\n    blueprint: postgres\n"
        f"    parameters: {parameters}\n"
    )
    try:
        compile_platform(platform_file.from_text(text, "p.yaml"), CATALOGUE)
    except BlueprintError as error:
        here = "p.yaml:5: services.db.parameters."
        return [line.removeprefix(here) for line in str(error).splitlines()]
    return []


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        pytest.param(
            "{count: 2}",
            "count: 2 members with synchronous mode take no writes when one is lost; "
            "take 3, or 1 without redundancy",
            id="two members with synchronous mode",
        ),
        pytest.param(
            "{count: 2, synchronous: false}",
            "count: 2 members cannot tell which of them is lost; take 3, or 1 without "
            "redundancy",
            id="two members without",
        ),
        pytest.param(
            "{count: 5, voters: 4}",
            "voters: an even quorum: 4 voters stand no more losses than 3; take an odd "
            "number",
            id="even quorum",
        ),
        pytest.param(
            "{count: 3, voters: 5}",
            "voters: 5 voters need as many members, and there are 3",
            id="more voters than members",
        ),
        pytest.param(
            "{count: 3, voters: 1}",
            "voters: one voter for 3 members is one that nobody may lose; take 3",
            id="a single voter",
        ),
        pytest.param(
            "{settings: {shared_bufers: 1GB}}",
            "settings.shared_bufers: unknown key; did you mean 'shared_buffers'?",
            id="unknown setting",
        ),
        pytest.param(
            "{settings: {shared_buffers: lots}}",
            "settings.shared_buffers: 'lots' does not match '^[0-9]+(kB|MB|GB)$'",
            id="a size that is none",
        ),
        pytest.param(
            "{settings: {fsync: off}}",
            "settings.fsync: is not for you to set: no acknowledged commit is lost "
            "because the platform sets it.",
            id="what the promise rests on",
        ),
        pytest.param(
            "{settings: {archive_command: rm}}",
            "settings.archive_command: is not for you to set: the platform needs it "
            "itself.",
            id="what the platform needs",
        ),
        pytest.param(
            "{volume_size_gb: 1, settings: {max_wal_size: 2GB}}",
            "volume_size_gb: too small: the write-ahead log alone may take 2GB "
            "(settings.max_wal_size) before it is shortened; make the volume four times "
            "as large",
            id="volume too small",
        ),
        pytest.param(
            "{settings: {max_connections: 60}}",
            "settings.max_connections: the pooler alone opens 40 for each database and "
            "login (pool_size), a user has two logins while credentials rotate, and 20 are "
            "for the platform; make it 100 or larger, or pool_size smaller",
            id="too few connections",
        ),
        pytest.param(
            "{pool_size: 41}",
            "settings.max_connections: the pooler alone opens 41 for each database and "
            "login (pool_size), a user has two logins while credentials rotate, and 20 are "
            "for the platform; make it 102 or larger, or pool_size smaller",
            id="too few connections for a rotation",
        ),
        pytest.param(
            "{databases: {shop: {owner: anna}}}",
            "databases: anna owns a database and is not among the users",
            id="an owner nobody knows",
        ),
        pytest.param(
            "{users: {app: {}, anna: {reads: [shop]}}}",
            "users: shop is to be read and is not among the databases",
            id="a database nobody knows",
        ),
    ],
)
def test_bad_parameters(parameters, said):
    """A combination that cannot work is one sentence that says what to do."""
    assert complaints(parameters) == [said]


@pytest.mark.parametrize("name", ["postgres", "pgbouncer", "Shop", "a-b", "fournines"])
def test_reserved_and_illegal_names(name):
    """What is the platform's, or no name in SQL without quotes, is no user's and no database's name."""
    for kind in ("databases", "users"):
        entry = "{owner: app}" if kind == "databases" else "{}"
        found = complaints(f"{{{kind}: {{{name}: {entry}, app: {entry}}}}}")
        assert any(line.startswith(kind) for line in found), (kind, name, found)


def test_every_setting_can_be_taken_back():
    """What an owner may set and what is reset when he no longer does are the same names."""
    schema = CATALOGUE["postgres"].parameters["properties"]["settings"]["properties"]

    assert {n for n, one in schema.items() if "not" not in one} == settings.OPEN
