"""
Restores that are tried, on the simulated cloud: a guest that speaks, what is judged and kept, and that nothing is left however it ends.
"""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta

import pytest
import yaml

from alerts import conventions as c
from blueprints.postgres import backups, drilling
from blueprints.postgres.backups import Policy
from blueprints.postgres.drilling import Drill, Marks
from blueprints.postgres.repository import Repository
from flows.recoverability import Recovery, measures
from fournines.cloud.simulated.faults import Fault, FaultKind, Killed
from tasks import drill_clearing, rounds
from tasks import drilling as drills
from tasks.drilling import DrillFailed
from tests.story.test_restoring import a_world, with_backups


class Guest:
    """
    What guests of drills say on their consoles. `marks` are what they find; None: they fail.
    """

    def __init__(self, marks) -> None:
        self.marks = marks
        self.targets = []

    def __call__(self, spec) -> list[str]:
        """
        The console of a new instance.
        """
        files = {
            one["path"].rpartition("/")[2]: one["content"]
            for one in yaml.safe_load(spec.user_data)["write_files"]
        }
        nonce = files["nonce"].strip()
        self.targets.append(files["target"])
        said = ["begin restore"]
        if self.marks is None:
            said.append("failed restore")
        else:
            packed = gzip.compress(json.dumps(self.marks).encode())
            said.append(f"part report 1/1 {base64.b64encode(packed).decode()}")
            said.append("passed")
        return [f"@@fournines {nonce} {word}" for word in said]


def a_drill(tmp_path, guest, *hours_ago):
    """
    A database with backups, and a guest that speaks; world, workshop, and what drills it.
    """
    world = a_world()
    workshop = with_backups(world, *hours_ago)
    object.__setattr__(
        workshop,
        "settings",
        workshop.settings.model_copy(update={"state_dir": tmp_path}),
    )
    world.cloud.give_voice(guest)
    platform = world.store.registry.platform("demo")
    return (
        world,
        workshop,
        lambda: drills.drill(workshop, platform, "db", draw=0.0),
    )


def left(world):
    """
    What of drills is in the cloud, and journals that are open.
    """
    seen = world.cloud.world
    return [
        *seen.instances,
        *seen.volumes,
        *seen.networks,
        *seen.security_groups,
        *(plan.id for plan in world.store.journal.unfinished()),
    ]


def marks(world, seconds_ago, *, count=7):
    """
    What a guest reports: marks 3 to 9, the last so long ago.
    """
    at = world.clock.now() - timedelta(seconds=seconds_ago)
    return {
        "marks": count,
        "first": 3,
        "last": 9,
        "last_at": at.timestamp(),
        "digest": "d",
    }


def test_the_newest_and_another_come_back_and_nothing_is_left(tmp_path):
    """
    The newest with all its log, which tells the RPO; the other until it is whole. Both are kept beside the backups.
    """
    guest = Guest(None)
    world, workshop, drill = a_drill(tmp_path, guest, 30, 5)
    guest.marks = marks(world, 12)

    newest, other = drill()

    assert newest.ok, newest.error
    assert other.ok, other.error
    assert newest.backup > other.backup
    assert 12 <= newest.rpo_seconds < 30
    assert newest.rto_seconds > 0
    assert other.rpo_seconds is None
    assert guest.targets == ["", "recovery_target = 'immediate'\n"]
    # Its key, which opens the service's own secrets, is out of the API before it has restored anything.
    names = [call.name for call in world.cloud.calls]
    assert names.count("withdraw_metadata") == 2
    assert not newest.compared  # nobody answers for the living service here
    assert left(world) == []
    assert drills.kept_drills(workshop, "demo", "db") == (
        (newest, other)
        if newest.at < other.at
        else tuple(sorted((newest, other), key=lambda d: (d.at, d.backup)))
    )


def test_the_guest_is_reached_by_nobody(tmp_path):
    """
    A network of its own, and a guard without a way in.
    """
    guest = Guest(None)
    world, _, drill = a_drill(tmp_path, guest, 5)
    seen = []

    def look(spec):
        groups = world.cloud.world.security_groups
        seen.append(
            (spec.network, [groups[name].rules for name in spec.security_groups])
        )
        return guest(spec)

    world.cloud.give_voice(look)
    guest.marks = marks(world, 1)
    drill()

    ((network, guards),) = seen
    assert network == "fournines-drill-demo-db-net"
    assert [tuple(rules) for rules in guards] == [()]


def test_a_backup_that_does_not_come_back_is_told_and_kept(tmp_path):
    """
    The drill goes on with the other one, and leaves nothing.
    """
    world, workshop, drill = a_drill(tmp_path, Guest(None), 30, 5)

    done = drill()

    assert [one.ok for one in done] == [False, False]
    assert "restore failed" in done[0].error
    assert left(world) == []
    (told,) = rounds.drills(workshop)
    assert "did not come back" in told.error


def test_without_a_backup_there_is_nothing_to_try(tmp_path):
    """
    One sentence, and nothing was made.
    """
    world, _, drill = a_drill(tmp_path, Guest(None))
    with pytest.raises(DrillFailed, match="there is no backup of db to try"):
        drill()
    assert left(world) == []


@pytest.mark.parametrize(
    "call", ["ensure_network", "ensure_volume", "ensure_instance", "delete_volume"]
)
def test_a_drill_whose_worker_dies_is_cleared_by_the_timer(tmp_path, call):
    """
    Killed anywhere, its lease runs out, and the next sweep takes everything away.
    """
    guest = Guest(None)
    world, workshop, drill = a_drill(tmp_path, guest, 5)
    guest.marks = marks(world, 1)
    world.cloud.inject(Fault(kind=FaultKind.KILL_AFTER, call=call, times=1))
    with pytest.raises(Killed):
        drill()
    world.cloud.calm()
    world.clock.sleep(120)

    drill_clearing.sweep(workshop)

    assert left(world) == []
    assert drill_clearing.sweep(workshop) == ()


@pytest.mark.parametrize(
    ("found", "living", "wrong"),
    [
        (Marks(count=3, first=1, last=3, digest="a"), None, ""),
        (
            Marks(count=3, first=1, last=3, digest="a"),
            Marks(count=3, first=1, last=3, digest="a"),
            "",
        ),
        (Marks(), None, ""),
        (Marks(count=2, first=1, last=3), None, "some are missing"),
        (
            Marks(count=3, first=1, last=3, digest="a"),
            Marks(count=3, first=1, last=3, digest="b"),
            "not those of the living service",
        ),
    ],
)
def test_rows_are_judged(found, living, wrong):
    """
    A gap, or another row, is a backup that is not whole.
    """
    said = drilling.judged(found, living)
    assert (wrong in said) if wrong else not said


def test_a_drill_is_due_by_rhythm_and_after_a_failure():
    """
    One that failed counts for nothing.
    """
    now = a_world().clock.now()
    good = Drill(at=now - timedelta(days=6), backup="b")
    bad = Drill(at=now - timedelta(days=1), backup="b", error="gone")

    assert backups.drill_due(Policy(), (), now)
    assert not backups.drill_due(Policy(), (good, bad), now)
    assert backups.drill_due(Policy(), (bad,), now)
    assert backups.drill_due(Policy(drill_every_days=5), (good,), now)


def test_recoverability_is_the_last_round_and_ages_grow():
    """
    What could not be read is not claimed; of a round with one failure the whole is 0, and its age goes on from the last good one.
    """
    world = a_world()
    now = world.clock.now()
    good = Drill(at=now - timedelta(days=8), backup="a", rto_seconds=60, rpo_seconds=15)
    bad = Drill(at=now - timedelta(days=1), backup="b", error="gone")
    known = Recovery(
        at=now,
        policy=Policy(),
        repository=Repository(at=now, log_at=now - timedelta(seconds=20)),
        drills=(good, bad),
    )

    found = measures(known, now + timedelta(seconds=5))

    assert found[c.RECOVERABILITY] == 0
    assert found[c.DRILL_AGE] == 8 * 86_400 + 5
    assert found[c.DRILL_AGE] > found[c.DRILL_AGE_MAX] - 5
    assert (found[c.DRILL_RTO], found[c.DRILL_RPO]) == (60, 15)
    assert found[c.BACKUP_LOG_AGE] == 25
    assert c.BACKUP_AGE not in found
    silent = measures(Recovery(at=now, policy=Policy()), now)
    assert silent == {c.BACKUPS_KNOWN: 0.0}
