"""
What is kept of a database, when it is due, and which backup a restore begins with.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from blueprints.postgres import backups, restoring
from blueprints.postgres.backups import Policy
from blueprints.postgres.repository import (
    Backup,
    Repository,
    backups_in,
    newest_segment,
)
from fournines.model.objects import StoredObject
from fournines.model.refusal import Reason, Refusal
from fournines.trust import salted

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

INFO = """\
[backrest]
backrest-format=5

[backup:current]
20261127-191616F_20261127-200000D={"backup-annotation":{"order":"x2"},"backup-archive-start":"000000010000000000000004","backup-archive-stop":"000000010000000000000004","backup-error":true,"backup-info-repo-size":4000000,"backup-info-repo-size-delta":500,"backup-info-size":23213784,"backup-prior":"20261127-191616F","backup-timestamp-start":1795809600,"backup-timestamp-stop":1795809605,"backup-type":"diff"}
20261127-191616F={"backup-annotation":{"order":"x1"},"backup-archive-start":"000000010000000000000002","backup-archive-stop":"000000010000000000000003","backup-error":false,"backup-info-repo-size":3080272,"backup-info-repo-size-delta":3080272,"backup-info-size":23213784,"backup-timestamp-start":1795806976,"backup-timestamp-stop":1795806981,"backup-type":"full"}

[cipher]
cipher-pass="xyz"
"""
"""As pgBackRest 2.45 wrote it, shortened."""


def a_backup(ended_days_ago, kind="full", *, size_gb=1.0, failed=False):
    """
    A backup that ended so long ago; its label says the day.
    """
    ended = NOW - ended_days_ago * DAY
    suffix = {"full": "F", "differential": "F_20261101-000000D"}[kind]
    return Backup(
        label=f"{ended:%Y%m%d-%H%M%S}{suffix}",
        kind=kind,
        begun_at=ended - timedelta(minutes=10),
        ended_at=ended,
        size_bytes=int(size_gb * (1 << 30)),
        stored_bytes=1,
        log_from="0" * 24,
        log_to="0" * 24,
        failed=failed,
    )


def kept(*made, log_at=NOW):
    """
    A repository of these backups, as of noon.
    """
    return Repository(at=NOW, backups=made, log_newest="0" * 24, log_at=log_at)


def test_a_backup_info_is_read_in_the_order_of_time():
    """
    Kinds, moments, sizes, the order it was asked for by, and bad pages.
    """
    full, differential = backups_in(INFO)

    assert (full.label, full.kind, full.order) == ("20261127-191616F", "full", "x1")
    assert full.ended_at == datetime(2026, 11, 27, 19, 16, 21, tzinfo=UTC)
    assert (full.log_from[-1], full.log_to[-1], full.failed) == ("2", "3", False)
    assert (differential.kind, differential.stored_bytes) == ("differential", 500)
    assert differential.failed
    assert backups_in("") == ()


def test_the_newest_segment_is_told_from_what_lies_beside_it():
    """
    Labels of backups and histories of timelines are no segments.
    """
    folder = "pgbackrest/archive/main/15-1/0000000100000000/"
    names = (
        f"{folder}000000010000000000000002-{'a' * 40}.zst",
        f"{folder}000000010000000000000003-{'b' * 40}.zst",
        f"{folder}000000010000000000000003.00000028.backup",
        "pgbackrest/archive/main/15-1/00000002.history",
    )
    objects = tuple(
        StoredObject(name=name, size_bytes=1, at=NOW + timedelta(seconds=n))
        for n, name in enumerate(names)
    )

    assert newest_segment(objects) == (
        "000000010000000000000003",
        NOW + timedelta(seconds=1),
    )
    assert newest_segment(objects[2:]) is None


def test_what_is_sealed_opens_with_its_word_alone():
    """
    As OpenSSL and pgBackRest seal it; another word, or no seal at all, is said.
    """
    text = b"[backrest]\n" * 9
    sealed = salted.sealed(text, "word", b"saltsalt")

    assert salted.opened(sealed, "word") == text
    for content, word in ((sealed, "other"), (text, "word"), (sealed[:16], "word")):
        with pytest.raises(ValueError, match="sealed"):
            salted.opened(content, word)


@pytest.mark.parametrize(
    ("made", "due"),
    [
        pytest.param((), "full", id="nothing-yet"),
        pytest.param((a_backup(0.5),), None, id="fresh"),
        pytest.param((a_backup(1.5),), "diff", id="a-day-old"),
        pytest.param((a_backup(7.1),), "full", id="a-week-old"),
        pytest.param(
            (a_backup(6), a_backup(0.5, "differential")), None, id="differential-fresh"
        ),
        pytest.param(
            (a_backup(8), a_backup(0.1, "differential")),
            "full",
            id="full-due-in-spite-of-a-fresh-differential",
        ),
    ],
)
def test_a_backup_is_due_by_rhythm(made, due):
    """
    Full ones weekly and others daily, unless the parameters say otherwise.
    """
    assert backups.due(Policy(), kept(*made)) == due


def test_age_is_too_high_after_two_rhythms():
    """
    One that is late by half a rhythm wakes nobody.
    """
    assert backups.age_seconds_max(Policy()) == 2 * 86_400
    assert backups.age_seconds_max(Policy(diff_every_hours=1)) == 7_200


def test_who_wants_backups():
    """
    Only databases have them, by default.
    """
    assert backups.policy_of("postgres", {}) == Policy()
    assert backups.policy_of("postgres", {"backups": {"enabled": False}}) is None
    assert backups.policy_of("web", {}) is None


@pytest.mark.parametrize(
    ("made", "wish", "label"),
    [
        pytest.param((a_backup(2), a_backup(1)), {}, a_backup(1).label, id="newest"),
        pytest.param(
            (a_backup(3), a_backup(1)),
            {"to": NOW - 2 * DAY},
            a_backup(3).label,
            id="newest-before-the-moment",
        ),
        pytest.param(
            (a_backup(3), a_backup(1)),
            {"to": NOW - 3 * DAY},
            a_backup(3).label,
            id="at-its-very-end",
        ),
        pytest.param(
            (a_backup(3), a_backup(1)),
            {"label": a_backup(3).label},
            a_backup(3).label,
            id="by-label",
        ),
        pytest.param(
            (a_backup(3), a_backup(1, failed=True)),
            {},
            a_backup(3).label,
            id="not-one-with-bad-pages",
        ),
    ],
)
def test_a_restore_begins_with_the_newest_that_serves(made, wish, label):
    """
    The less log there is to replay, the sooner it is there.
    """
    found = restoring.chosen("db", kept(*made), **wish)

    assert isinstance(found, Backup)
    assert found.label == label


@pytest.mark.parametrize(
    ("made", "wish", "said"),
    [
        pytest.param((), {}, "there is no backup of db; take one", id="none"),
        pytest.param(
            (a_backup(1),),
            {"to": NOW + DAY},
            "2026-11-28 12:00:00 UTC is in the future",
            id="future",
        ),
        pytest.param(
            (a_backup(1),),
            {"to": NOW - 2 * DAY},
            "is before the end of the first backup that is kept, 2026-11-26 12:00:00 UTC",
            id="before-the-first",
        ),
        pytest.param(
            (a_backup(1),),
            {"label": "20200101-000000F"},
            f"db has no backup 20200101-000000F; the newest is {a_backup(1).label}",
            id="unknown",
        ),
        pytest.param(
            (a_backup(3), a_backup(1)),
            {"label": a_backup(1).label, "to": NOW - 2 * DAY},
            f"is before the end of backup {a_backup(1).label}",
            id="moment-before-the-label",
        ),
        pytest.param(
            (a_backup(3), a_backup(1, failed=True)),
            {"label": a_backup(1).label},
            "has pages whose checksum is wrong",
            id="bad-pages",
        ),
    ],
)
def test_a_restore_that_cannot_be_is_one_sentence(made, wish, said):
    """
    With what there is instead.
    """
    found = restoring.chosen("db", kept(*made), **wish)

    assert isinstance(found, Refusal)
    assert found.reason is Reason.MISSING
    assert said in found.detail


@pytest.mark.parametrize(
    ("days_ago", "wish", "gap"),
    [
        pytest.param(40, {}, True, id="between-the-months"),
        pytest.param(10, {}, False, id="after-the-oldest-father"),
        pytest.param(70, {}, False, id="before-everything"),
        pytest.param(None, {"label": a_backup(60).label}, False, id="its-own-end"),
    ],
)
def test_of_ended_months_only_their_backups_are_left(days_ago, wish, gap):
    """
    Where the log is gone no moment is promised; the sentence names what can be had instead.
    """
    made = kept(a_backup(60), a_backup(14), a_backup(7))
    to = None if days_ago is None else NOW - days_ago * DAY
    found = restoring.chosen("db", made, to=to, fulls_kept=2, **wish)

    said = found.detail if isinstance(found, Refusal) else ""
    assert (f"--backup {a_backup(60).label} without --to" in said) is gap
    assert isinstance(found, Backup) is (days_ago != 70 and not gap)


@pytest.mark.parametrize(
    ("size_gb", "volume_gb", "fits"), [(3.2, 4, True), (3.3, 4, False), (9, 10, False)]
)
def test_a_volume_has_room_for_data_and_log(size_gb, volume_gb, fits):
    """
    A quarter more than the data, and the sentence says how large would do.
    """
    found = restoring.too_small("db2", a_backup(1, size_gb=size_gb), volume_gb)

    assert (found is None) is fits
    if found:
        assert found.reason is Reason.CAPACITY
        wanted = int(found.detail.partition("--volume-gb ")[2].split()[0])
        assert restoring.too_small("db2", a_backup(1, size_gb=size_gb), wanted) is None


def test_what_a_lost_service_did_not_send_cannot_be_had():
    """
    Up to the end of the log that is kept a moment can be reached, and not beyond.
    """
    repository = kept(a_backup(3), log_at=NOW - DAY)

    assert restoring.beyond_log("db", repository, NOW - DAY) is None
    refusal = restoring.beyond_log("db", repository, NOW - DAY / 2)
    assert refusal is not None
    assert "ends at 2026-11-26 12:00:00 UTC" in refusal.detail
