"""
Pauses, maintenance windows, quarantines: when they hold, whom they cover, and how they are written.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from blueprints import platform_file
from blueprints.catalogue import all_blueprints
from blueprints.compiling import compile_platform
from blueprints.problem import PlatformInvalid
from fournines.model import duration, maintenance, quarantine
from fournines.model.case import Subject
from fournines.model.maintenance import MaintenanceWindow
from fournines.model.pause import Pause, covering
from fournines.model.quarantine import STRIKES_AGE, Quarantine, Strike

NOW = datetime(2026, 1, 4, 3, 30, tzinfo=UTC)  # a Sunday
SLOT = Subject(
    platform="demo", service="shop", group="web", slot=1, instance="demo-shop-web-1-g1"
)


def subject(**known) -> Subject:
    """
    A place in the platform `demo`.
    """
    return Subject(**({"platform": "demo", "service": "shop"} | known))


@pytest.mark.parametrize(
    ("paused", "covered"),
    [
        pytest.param(subject(), True, id="the-service"),
        pytest.param(subject(group="web"), True, id="the-group"),
        pytest.param(subject(group="web", slot=1), True, id="the-slot"),
        pytest.param(
            subject(group="web", slot=1, instance="demo-shop-web-1-g1"),
            True,
            id="the-instance",
        ),
        pytest.param(
            subject(group="web", slot=1, instance="demo-shop-web-1-g2"),
            False,
            id="its-successor",
        ),
        pytest.param(subject(group="web", slot=2), False, id="another-slot"),
        pytest.param(subject(group="db"), False, id="another-group"),
        pytest.param(subject(service="other"), False, id="another-service"),
        pytest.param(subject(platform="prod"), False, id="another-platform"),
    ],
)
def test_a_pause_covers_what_lies_within_it(paused, covered):
    """
    A pause covers its place and everything below, nothing beside.
    """
    pause = Pause(subject=paused, by="ann", at=NOW)

    assert covered == pause.covers(SLOT)
    assert (pause if covered else None) == covering((pause,), SLOT, NOW)


def test_a_pause_ends_by_itself():
    """
    Until its end it holds, from its end on it does not; without an end it holds for ever.
    """
    until = NOW + timedelta(hours=2)
    pause = Pause(subject=subject(), by="ann", at=NOW, until=until)

    assert pause.holds(until - timedelta(seconds=1))
    assert not pause.holds(until)
    assert covering((pause,), SLOT, until) is None
    assert pause.model_copy(update={"until": None}).holds(NOW + timedelta(days=999))


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("7d", 604_800)],
)
def test_durations(given, seconds):
    """
    A duration is read as it is written, and said again in the same words.
    """
    assert duration.parse(given).total_seconds() == seconds
    assert duration.parse(duration.text(duration.parse(given))).total_seconds() == (
        seconds
    )


@pytest.mark.parametrize("given", ["", "2", "h", "2 h", "1h,30m", "-5m", "0s", "2w"])
def test_no_durations(given):
    """
    What is no duration is refused, with the way to write one.
    """
    with pytest.raises(ValueError, match=r"duration|no time"):
        duration.parse(given)


def window(**known) -> MaintenanceWindow:
    """
    A window as a platform file writes it.
    """
    return MaintenanceWindow.model_validate(known)


SUNDAYS = {"cron": "0 3 * * 0", "duration": "2h"}


@pytest.mark.parametrize(
    ("written", "now", "ends"),
    [
        pytest.param(SUNDAYS, NOW, NOW.replace(hour=5, minute=0), id="within"),
        pytest.param(SUNDAYS, NOW.replace(minute=0), NOW.replace(hour=5, minute=0), id="at-its-start"),
        pytest.param(SUNDAYS, NOW.replace(hour=2, minute=59, second=59), None, id="a-second-before"),
        pytest.param(SUNDAYS, NOW.replace(hour=5, minute=0), None, id="at-its-end"),
        pytest.param(SUNDAYS, NOW + timedelta(days=1), None, id="on-a-monday"),
        pytest.param(
            SUNDAYS | {"timezone": "Europe/Berlin"},
            NOW.replace(hour=2, minute=30),
            NOW.replace(hour=4, minute=0),
            id="three-o-clock-in-berlin-is-two-in-utc",
        ),
        pytest.param(
            {"from": "2026-01-04T03:00:00Z", "until": "2026-01-04T04:00:00Z"},
            NOW,
            NOW.replace(hour=4, minute=0),
            id="of-dates",
        ),
        pytest.param(
            {"from": "2026-01-04T03:00:00Z", "until": "2026-01-04T03:30:00Z"},
            NOW,
            None,
            id="of-dates-that-ended-just-now",
        ),
        pytest.param(
            # 2026-03-29 02:00 does not exist in Berlin: the clocks go from 02:00 to 03:00.
            {"cron": "30 1 * * *", "duration": "2h", "timezone": "Europe/Berlin"},
            datetime(2026, 3, 29, 2, 29, tzinfo=UTC),
            datetime(2026, 3, 29, 2, 30, tzinfo=UTC),
            id="two-hours-are-two-hours-when-the-clocks-change",
        ),
    ],
)  # fmt: skip
def test_windows(written, now, ends):
    """
    A window is open from its start, up to and without its end.
    """
    assert window(**written).ends(now) == ends


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    hours=st.integers(1, 23),
    now=st.timedeltas(timedelta(), timedelta(days=365)).map(lambda d: NOW + d),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/Phoenix"]),
)
def test_a_daily_window_is_open_exactly_after_its_start(minute, hour, hours, now, zone):
    """
    In zones whose clocks never change: open if and only if less than its duration has passed since the day's start.
    """
    local = now.astimezone(ZoneInfo(zone))
    since = (
        (local.hour - hour) * 3600
        + (local.minute - minute) * 60
        + local.second
        + local.microsecond / 1e6
    ) % 86_400
    found = window(
        cron=f"{minute} {hour} * * *", duration=f"{hours}h", timezone=zone
    ).ends(now)

    assert (since < hours * 3600) == (found is not None)
    if found is not None:
        left = (found - now).total_seconds()
        assert left == pytest.approx(hours * 3600 - since)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param({}, "either cron and duration, or from and until", id="nothing"),
        pytest.param({"cron": "0 3 * * 0"}, "needs both cron and duration", id="half"),
        pytest.param(
            {"from": "2026-01-04T03:00:00Z"}, "needs both from and until", id="no-end"
        ),
        pytest.param(
            SUNDAYS | {"until": "2026-01-04T03:00:00Z"}, "either cron", id="both-kinds"
        ),
        pytest.param(
            {"cron": "every sunday", "duration": "2h"}, "five fields", id="no-cron"
        ),
        pytest.param(
            {"cron": "0 25 * * *", "duration": "2h"}, "is no cron", id="hour-25"
        ),
        pytest.param({"cron": "0 3 * * 0", "duration": "2"}, "is no duration", id="2"),
        pytest.param(
            {"cron": "0 3 * * 0", "duration": "9d"}, "less than or equal", id="9-days"
        ),
        pytest.param(
            SUNDAYS | {"timezone": "Berlin"}, "there is no time zone 'Berlin'", id="tz"
        ),
        pytest.param(
            {"from": "2026-01-04T03:00:00", "until": "2026-01-04T04:00:00Z"},
            "needs its zone",
            id="naive",
        ),
        pytest.param(
            {"from": "2026-01-04T03:00:00Z", "until": "2026-01-04T03:00:00Z"},
            "ends before it begins",
            id="empty",
        ),
    ],
)
def test_wrong_windows(written, said):
    """
    A window that means nothing is refused in words.
    """
    with pytest.raises(ValidationError, match=said):
        window(**written)


def test_a_window_survives_the_store():
    """
    Written down and read again it is the same window.
    """
    one = window(**SUNDAYS)

    assert MaintenanceWindow.model_validate_json(one.model_dump_json()) == one
    assert maintenance.open_window((one,), NOW) == (one, one.ends(NOW))
    assert maintenance.open_window((one,), NOW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        pytest.param(
            "- cron: 0 3 * * 8\n  duration: 2h",
            "platform.yaml:3: maintenance[0].cron",
            "no cron expression",
            id="wrong-cron",
        ),
        pytest.param(
            "- cron: 0 3 * * 0\n  duration: 2 hours",
            "platform.yaml:4: maintenance[0].duration",
            "no duration",
            id="wrong-duration",
        ),
        pytest.param(
            "- cron: 0 3 * * 0\n  length: 2h",
            "platform.yaml:4: maintenance[0].length",
            "unknown key",
            id="wrong-key",
        ),
    ],
)
def test_a_wrong_window_in_a_file_names_its_line(text, place, said):
    """
    A broken rule is shown where it stands.
    """
    with pytest.raises(PlatformInvalid) as caught:
        platform_file.from_text(f"platform: demo\nmaintenance:\n{text}\n")

    (problem,) = caught.value.problems
    assert str(problem).startswith(place)
    assert said in str(problem)


def test_windows_of_a_file_reach_the_platform_and_its_service():
    """
    What is written in platform.yaml is what the healer asks.
    """
    text = (
        "platform: demo\n"
        "maintenance:\n- {cron: 0 3 * * 0, duration: 2h, why: patches}\n"
        "services:\n  shop:\n    blueprint: web\n    maintenance:\n"
        "    - {from: 2026-01-04T03:00:00Z, until: 2026-01-04T04:00:00Z}\n"
    )
    made = compile_platform(platform_file.from_text(text), all_blueprints())

    assert [w.duration_seconds for w in made.maintenance] == [7200]
    (own,) = made.service("shop").maintenance
    assert own.ends(NOW) == NOW.replace(hour=4, minute=0)


def build(digest: str = "d1", image_id: str = "i1") -> Quarantine:
    """
    A build without strikes.
    """
    return Quarantine(digest=digest, image="debian-12", image_id=image_id, place="p")


def held(digest: str = "d1", image_id: str = "i1") -> Quarantine:
    """
    A build with two strikes.
    """
    made = build(digest, image_id)
    for instance in ("a", "b"):
        made = made.struck(Strike(instance=instance, case="c", at=NOW))
    return made


@pytest.mark.parametrize(
    ("strikes", "is_held"),
    [
        pytest.param((("a", 0),), False, id="one-may-be-chance"),
        pytest.param((("a", 0), ("b", 60)), True, id="two-are-not"),
        pytest.param((("a", 0), ("a", 60)), False, id="the-same-one-twice-is-one"),
        pytest.param(
            (("a", 0), ("b", STRIKES_AGE.total_seconds())),
            False,
            id="an-old-one-says-nothing",
        ),
    ],
)
def test_strikes(strikes, is_held):
    """
    Two sick replacements within some hours hold a build back.
    """
    made = build()
    for instance, after in strikes:
        at = NOW + timedelta(seconds=after)
        made = made.struck(Strike(instance=instance, case="c", at=at))

    assert is_held == (made.held_at is not None)


@pytest.mark.parametrize(
    ("known", "asked", "is_held"),
    [
        pytest.param((held(),), ("d1", "debian-12", "i1"), True, id="the-build"),
        pytest.param(
            (held(),), ("d2", "debian-12", "i1"), False, id="another-build-on-the-image"
        ),
        pytest.param(
            (held(), held("d2")),
            ("d3", "debian-12", "i1"),
            True,
            id="two-bad-builds-condemn-the-image",
        ),
        pytest.param(
            (held(),), ("d1", "debian-12", "i2"), False, id="a-new-image-of-the-name"
        ),
        pytest.param((held(),), ("d1", "debian-12", ""), True, id="an-unknown-id"),
        pytest.param((held(),), ("d1", "debian-13", "i1"), False, id="another-image"),
        pytest.param((build(),), ("d1", "debian-12", "i1"), False, id="no-strikes"),
    ],
)
def test_what_a_quarantine_forbids(known, asked, is_held):
    """
    A bad build forbids itself; only two bad builds forbid their image.
    """
    digest, image, image_id = asked
    found = quarantine.holding(known, digest=digest, image=image, image_id=image_id)

    assert is_held == (found is not None)
