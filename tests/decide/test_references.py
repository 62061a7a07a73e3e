"""
References in user-data: what they are, where they may stand, which editions follow from them, when certificates are due.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from blueprints import editions, words
from blueprints.userdata import _complaints
from fournines.model import references
from fournines.model.desired import Group, instance_digest
from fournines.model.references import Kind, Reference
from fournines.model.validity import Validity, is_due
from tests.decide.planned_world import a_platform, with_groups

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_words_of_a_group_give_references():
    """
    Each function of a template gives the reference that its name says.
    """
    said = words.of_group("demo", "db", "pg", {"pg": 2, "proxy": 1})

    assert said["slot_names"] == ["demo-db-pg-0", "demo-db-pg-1"]
    assert said["slots"]("proxy") == ["demo-db-proxy-0"]
    assert said["address"]("demo-db-pg-1") == "@{address:demo-db-pg-1}"
    assert said["self_address"] == "@{address:@SLOT@}"
    assert said["vip"]() == "@{vip:demo-db-lb}"
    assert said["vip"]("demo-bus-lb") == "@{vip:demo-bus-lb}"
    assert said["secret"]("superuser") == "@{secret:db/superuser}"
    assert said["ca_certificate"] == "@{ca:demo}"
    assert said["private_key"] == "@{private-key:@SLOT@}"


@pytest.mark.parametrize("name", ["", "Super", "a/b", "with space", "}"])
def test_a_secret_has_a_plain_name(name):
    """
    What is no name is refused where it stands.
    """
    with pytest.raises(ValueError, match="no name of a secret"):
        words.of_service("demo", "db")["secret"](name)


def test_an_unknown_group_has_no_slots():
    """
    A misspelt group is an error, not an empty list.
    """
    with pytest.raises(ValueError, match="no group 'pq'"):
        words.of_group("demo", "db", "pg", {"pg": 1})["slots"]("pq")


def test_references_are_found_and_replaced():
    """
    Each once, in order; what only looks like one stays.
    """
    text = "a @{secret:db/x} b @{vip:demo-db-lb} c @{secret:db/x} @{nothing:y} {d}"
    found = references.found(text)

    assert found == (Reference(Kind.SECRET, "db/x"), Reference(Kind.VIP, "demo-db-lb"))
    assert references.replaced(text, lambda one: one.kind.value.upper()) == (
        "a SECRET b VIP c SECRET @{nothing:y} {d}"
    )
    assert references.is_confidential(text)
    assert not references.is_confidential("@{address:demo-db-pg-0}")
    assert "".join(map(str, found)) == "@{secret:db/x}@{vip:demo-db-lb}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("write_files:\n- path: /a\n  content: '@{secret:db/x}'", ""),
        ("write_files:\n- path: /a\n  content: |\n    key=@{private-key:s}", ""),
        ("runcmd:\n- echo @{secret:db/x}", "@{secret:db/x} may stand only"),
        ("write_files:\n- path: '/@{secret:db/x}'\n  content: a", "may stand only"),
        ("write_files: [a]\nruncmd: ['@{private-key:s}']", "may stand only"),
        ("runcmd:\n- echo @{address:demo-db-pg-0} @{ca:demo}", ""),
    ],
)
def test_secrets_stand_only_where_they_are_sealed(text, complaint):
    """
    A secret outside a file's content is refused when the platform is compiled.
    """
    said = "; ".join(_complaints(f"#cloud-config\n{text}\n"))

    assert complaint in said
    assert bool(said) == bool(complaint)


CERTIFIED = "#cloud-config\nwrite_files:\n- {path: /k, content: '@{private-key:@SLOT@} @{secret:shop/x}'}"


def test_editions_follow_the_versions_and_the_first_one_is_silent():
    """
    A platform is the same before and after its first secrets are made; a later version makes its instances outdated.
    """
    desired = with_groups(a_platform(shop={"count": 1}), user_data=CERTIFIED)

    def group(versions: dict[str, int]) -> Group:
        return editions.with_editions(desired, versions).services[0].groups[0]

    none, first = group({}), group({"shop/x": 1, "@certificate/demo-shop-web-0": 3})
    second = group({"shop/x": 2, "@edition/shop": 1, "other/x": 9})

    assert none.editions == first.editions == ""
    assert second.editions == "certificates=1 shop/x=2"
    assert instance_digest(none) == instance_digest(first) != instance_digest(second)


def test_what_refers_to_nothing_has_no_editions():
    """
    A service without references is not rolled because another one's secret was rotated.
    """
    desired = a_platform(shop={"count": 1})

    assert editions.with_editions(desired, {"@edition/shop": 4}) == desired


@pytest.mark.parametrize(
    ("days_left", "due"),
    [(90, False), (31, False), (30, True), (1, True), (0, True), (-5, True)],
)
def test_a_certificate_is_due_with_a_third_left(days_left, due):
    """
    Of ninety days the last thirty are for renewing.
    """
    validity = Validity(begins_at=NOW, ends_at=NOW + timedelta(days=90))
    now = validity.ends_at - timedelta(days=days_left)

    assert is_due(validity, now) is due
