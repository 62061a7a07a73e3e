"""
Grandfathers, fathers and sons: which full backups stay.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.postgres.generations import log_begins, superseded
from blueprints.postgres.repository import Backup

NEW_YEAR = datetime(2026, 1, 1, 3, tzinfo=UTC)


def a_full(day, *, failed=False, kind="full"):
    """
    A backup that ended on that day of the year 2026 (beyond 365: of 2027).
    """
    ended = NEW_YEAR + timedelta(days=day - 1)
    return Backup(
        label=f"{ended:%Y%m%d}",
        kind=kind,
        begun_at=ended,
        ended_at=ended,
        size_bytes=1,
        stored_bytes=1,
        log_from="",
        log_to="",
        failed=failed,
    )


def going(days, *, at, fulls=2, months=2, failed=()):
    """
    The days of those that go.
    """
    made = [a_full(day, failed=day in failed) for day in days]
    by_label = {one.label: day for one, day in zip(made, days, strict=True)}
    now = NEW_YEAR + timedelta(days=at - 1)
    gone = superseded(made, fulls_kept=fulls, months_kept=months, now=now)
    return [by_label[label] for label in gone]


@pytest.mark.parametrize(
    ("days", "asked", "gone"),
    [
        pytest.param([], {"at": 90}, [], id="nothing-yet"),
        pytest.param([1, 8], {"at": 9}, [], id="no-more-than-asked-for"),
        pytest.param([1, 8, 15], {"at": 16}, [1], id="the-oldest-father"),
        pytest.param([1, 8, 15, 22, 29, 36], {"at": 37}, [1, 8, 15, 22], id="january-keeps-its-last"),
        pytest.param([29, 57, 85, 92, 99], {"at": 100}, [29], id="the-third-month-back"),
        pytest.param([29, 57, 85, 92, 99], {"at": 100, "months": 0}, [29, 57, 85], id="no-grandfathers"),
        pytest.param([22, 29, 36, 43], {"at": 44, "failed": [29]}, [29], id="a-month-whose-last-is-bad-keeps-the-one-before"),
        pytest.param([1, 8, 15], {"at": 16, "failed": [15]}, [], id="a-bad-one-counts-for-nothing"),
        pytest.param([1, 8], {"at": 16, "failed": [1, 8]}, [], id="nothing-but-bad-ones"),
        pytest.param([360, 367, 374, 381], {"at": 382}, [367], id="over-the-turn-of-the-year"),
    ],
)  # fmt: skip
def test_who_goes(days, asked, gone):
    """
    Two fathers and two grandfathers, unless something else is asked for.
    """
    assert going(days, **asked) == gone


def test_what_rests_on_a_full_one_is_not_named():
    """
    It goes with it; a differential backup is no generation of full ones.
    """
    made = [a_full(1), a_full(3, kind="differential"), a_full(8)]

    assert superseded(made, fulls_kept=1, months_kept=0, now=NEW_YEAR) == ("20260101",)


@pytest.mark.parametrize(
    ("made", "begins"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([a_full(1), a_full(8), a_full(15)], 8, id="the-oldest-father"),
        pytest.param([a_full(1), a_full(8)], 1, id="all-of-them"),
        pytest.param(
            [a_full(1), a_full(8), a_full(15, failed=True), a_full(22)],
            22,
            id="one-with-bad-pages-counts-for-the-log",
        ),
        pytest.param(
            [a_full(8, failed=True), a_full(10, kind="differential"), a_full(15)],
            10,
            id="the-first-that-can-be-begun-with",
        ),
        pytest.param([a_full(8, failed=True)], None, id="nothing-but-bad-ones"),
    ],
)
def test_from_when_on_every_moment_can_be_had(made, begins):
    """
    The log is kept from the second newest full backup on, whatever its pages are like.
    """
    wanted = a_full(begins).ended_at if begins else None
    assert log_begins(made, fulls_kept=2) == wanted


gaps = st.lists(st.integers(1, 40), min_size=1, max_size=40)


@given(gaps=gaps, fulls=st.integers(1, 6), months=st.integers(0, 14))
def test_what_stays_does_not_depend_on_how_often_one_looks(gaps, fulls, months):
    """
    Expired day by day, what stays is what would stay of all that was ever taken: nothing goes that a later look would have wanted.
    """
    days = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    kept: list[Backup] = []
    for day in range(1, days[-1] + 1):
        kept += [a_full(day)] if day in days else []
        now = NEW_YEAR + timedelta(days=day - 1)
        gone = superseded(kept, fulls_kept=fulls, months_kept=months, now=now)
        kept = [one for one in kept if one.label not in gone]
        assert len(kept) <= fulls + months
    every = [a_full(day) for day in days]
    gone = superseded(every, fulls_kept=fulls, months_kept=months, now=now)
    assert kept == [one for one in every if one.label not in gone]


@given(
    days=st.lists(st.integers(1, 700), unique=True, max_size=30).map(sorted),
    bad=st.sets(st.integers(1, 700), max_size=300),
    fulls=st.integers(1, 6),
    months=st.integers(0, 14),
)
def test_what_a_restore_would_begin_with_never_goes(days, bad, fulls, months):
    """
    The newest good ones stay, whatever else there is.
    """
    made = [a_full(day, failed=day in bad) for day in days]
    now = NEW_YEAR + timedelta(days=700)
    gone = superseded(made, fulls_kept=fulls, months_kept=months, now=now)

    assert not {one.label for one in made if not one.failed and one.label in gone} & {
        one.label for one in [m for m in made if not m.failed][-fulls:]
    }
