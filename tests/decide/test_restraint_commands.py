"""
approve, reject, image: what people say to what keeps healing back.
"""
# ruff: noqa: F401, F811  the fixture is imported

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from fournines.model.approval import Approval
from fournines.model.case import Subject
from fournines.model.quarantine import Quarantine, Strike
from fournines.store.sql import open_store
from tests.decide.test_command_line import command

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def opened(tmp_path):
    """
    The command line's store.
    """

    @contextmanager
    def opening():
        store = open_store(f"sqlite:///{tmp_path}/state/store.db")
        yield store
        store.close()

    return opening


def test_the_first_word_on_a_case_counts(command, opened):
    """
    What waits is listed with its plan; one answer is taken, the next is told who was first; an unknown case is a slip of the pen.
    """
    with opened() as store:
        store.approvals.ask(
            Approval(
                case_id="case-1",
                subject=Subject(platform="demo", service="shop"),
                digest="d",
                reasons=("it deletes a volume",),
                steps=("delete-resource/volume/demo-shop-db-0",),
                asked_at=NOW,
                deadline_at=NOW + timedelta(minutes=30),
            )
        )

    code, out, _err = command("approve")
    assert (code, "it deletes a volume" in out) == (0, True)
    assert "delete-resource/volume/demo-shop-db-0" in out
    code, out, _err = command("reject", "case-1", "--why", "backup first")
    assert (code, "rejected by" in out, "backup first" in out) == (0, True, True)
    code, _out, err = command("approve", "case-1")
    assert (code, "backup first" in err) == (3, True)
    code, _out, err = command("approve", "case-2")
    assert (code, "asks for no approval" in err) == (2, True)
    assert command("approve")[1] == "nothing waits for approval\n"


def test_a_build_is_released_by_its_image(command, opened):
    """
    What is in quarantine is listed, released by its image's name, and gone; a wrong name is met with what there is.
    """
    build = Quarantine(digest="d" * 16, image="debian-12", place="demo/shop/web")
    for instance in ("a", "b"):
        build = build.struck(Strike(instance=instance, case="c", at=NOW))
    with opened() as store:
        store.quarantines.put(build)

    code, out, _err = command("image", "list")
    assert (code, "debian-12" in out, "demo/shop/web" in out) == (0, True, True)
    assert "image debian-12" in command("status")[1]
    code, _out, err = command("image", "release", "debian-21")
    assert (code, "debian-12" in err) == (2, True)
    code, out, _err = command("image", "release", "debian-12")
    assert (code, "may be used again" in out) == (0, True)
    assert command("image", "list")[1] == "nothing is in quarantine\n"
