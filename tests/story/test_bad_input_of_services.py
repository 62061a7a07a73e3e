"""
What people do wrong with databases, buses and caches, said to the real command line on the simulated cloud: one sentence each, and nothing is touched.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from fournines.cli import app
from fournines.commands import frame
from fournines.settings import settings
from tasks import deployment, opening
from tasks.operators.simulated import SimulatedOperator
from tests.story.test_restoring import a_world, compiled, with_backups
from tests.unwind.harness import Tripwire

DATABASE = """\
platform: demo
services:
  db:
    blueprint: postgres
    parameters: {volume_size_gb: 2, settings: {max_wal_size: 64MB}}
"""
READS = {
    "cloud.images",
    "cloud.inventory",
    "cloud.object_endpoint",
    "cloud.quota",
    "journal.unfinished",
    "leases.acquire",
    "leases.held",
    "leases.release",
    "operator.admitted",
    "operator.drift",
    "operator.view",
    "registry.platform",
    "registry.platforms",
    "registry.resources",
    "secrets.current",
    "secrets.ensure",
    "secrets.versions",
}
"""What may be asked before something is refused. A lease is held while the world is looked at; a secret that is there is read by `ensure`."""


def service(blueprint, parameters):
    """
    A platform file with one service.
    """
    return f"platform: demo\nservices:\n  svc:\n    blueprint: {blueprint}\n    parameters: {parameters}\n"


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """
    Run the command line on a lent workshop, without Prefect: exit status, what was said, and all that was done.
    """
    monkeypatch.setenv("FOURNINES_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FOURNINES_SLOT", "48")
    monkeypatch.chdir(tmp_path)

    def run(world, words, file=""):
        settings.cache_clear()
        Path("platform.yaml").write_text(file)
        wire = Tripwire()
        token = opening.lent.set(with_operators(world.workshop(wire)))
        try:
            code = frame.run(app, words.split())
        finally:
            opening.lent.reset(token)
        said = capsys.readouterr()
        done = {m.removeprefix("before ") for m in wire.passed if "before" in m}
        return code, said.err.strip(), done

    yield run
    settings.cache_clear()


def with_operators(workshop):
    """
    The world's operator for every kind of stateful service.
    """
    (make,) = workshop.operators.values()
    kinds = ("postgres", "rabbitmq", "cache")
    return replace(workshop, operators=dict.fromkeys(kinds, make))


def bare(text):
    """
    Without the world's own times and labels.
    """
    times = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|FIRST|NOW", "TIME", text)
    return re.sub(r"\d{8}-\d{6}F|LABEL", "LABEL", times)


def standing(world):
    """
    What no wrong word may change: what there is, what is asked for, every secret and every key.
    """
    return (
        world.resources(),
        world.store.registry.platforms(),
        world.store.secrets.versions("demo"),
        set(world.cloud.world.object_keys),
    )


def empty():
    """
    Nothing is deployed yet.
    """
    return a_world()


def without_objects():
    """
    A cloud that has no object store.
    """
    return a_world(objects=False)


def backed_up():
    """
    A database that was backed up five hours and one hour ago, and whose members are gone.
    """
    world = a_world()
    with_backups(world, 5, 1)
    return world


def never_backed_up():
    """
    A database whose first backup is still to come.
    """
    world = a_world()
    with_backups(world)
    return world


@cache
def running():
    """
    A database and a bus of three members each, deployed; one for all, since nobody may touch it.
    """
    world = a_world()
    world.operator = SimulatedOperator(world.cloud, world.clock)
    world.cloud.world.images["rabbitmq"] = replace(
        world.cloud.world.images["postgres"], id="r", name="rabbitmq"
    )
    text = DATABASE + "  bus: {blueprint: rabbitmq}\n"
    done = deployment.deploy(with_operators(world.workshop()), compiled(text))
    assert done.ok, done.sentence()
    return world


def bereft():
    """
    The same, after its object store has gone.
    """
    world = backed_up()
    world.cloud.scenario = replace(world.cloud.scenario, objects=False)
    return world


@pytest.mark.parametrize(
    ("prepare", "words", "file", "said"),
    [
        pytest.param(
            empty,
            "deploy",
            service("postgres", "{count: 2}"),
            "platform.yaml:5: services.svc.parameters.count: 2 members with synchronous mode take no writes when one is lost; "
            "take 3, or 1 without redundancy",
            id="two-with-synchronous-mode",
        ),
        pytest.param(
            empty,
            "deploy",
            service("postgres", "{count: 5, voters: 4}"),
            "platform.yaml:5: services.svc.parameters.voters: an even quorum: 4 voters stand no more losses than 3; take an odd number",
            id="even-quorum-of-a-database",
        ),
        pytest.param(
            empty,
            "deploy",
            service("rabbitmq", "{count: 4}"),
            "platform.yaml:5: services.svc.parameters.count: 4 members stand no more losses than 3; take 3 or 5",
            id="even-quorum-of-a-bus",
        ),
        pytest.param(
            empty,
            "deploy",
            service("cache", "{count: 2}"),
            "platform.yaml:5: services.svc.parameters.count: 2 members decide nothing when one is lost; take 3, or 1 and no redundancy",
            id="two-of-a-cache",
        ),
        pytest.param(
            empty,
            "deploy",
            service("postgres", "{settings: {shared_bufers: 1GB}}"),
            "platform.yaml:5: services.svc.parameters.settings.shared_bufers: unknown key; did you mean 'shared_buffers'?",
            id="unknown-setting",
        ),
        pytest.param(
            empty,
            "deploy",
            service("cache", "{evction: allkeys-lru}"),
            "platform.yaml:5: services.svc.parameters.evction: unknown parameter; did you mean 'eviction'?",
            id="unknown-parameter",
        ),
        pytest.param(
            empty,
            "deploy",
            service("postgres", "{image: postgres-99}"),
            "svc: there is no image 'postgres-99'; did you mean 'postgres'? `fournines image list` shows those that are baked",
            id="a-version-that-no-image-has",
        ),
        pytest.param(
            empty,
            "deploy",
            service("postgres", "{count: 1, voters: 1}"),
            "demo-svc-pg is not made to have 1: 1 of a quorum stands no loss: below 3 every fault is an outage; take 3, or say --force",
            id="one-without-force",
        ),
        pytest.param(
            without_objects,
            "deploy",
            DATABASE,
            "there is no place for its backups: finding the object store: the cloud's catalogue has no S3. Name one with "
            "FOURNINES_OBJECTS_URL (https://...), or switch backups of db off (parameters: backups: {enabled: false})",
            id="no-object-store",
        ),
        pytest.param(
            without_objects,
            "deploy",
            service("rabbitmq", "{image: rabbitmq, flavor: m1.medum}"),
            "there is no flavor 'm1.medum'; did you mean 'm1.medium'?",
            id="an-image-to-be-baked-for-a-flavor-nobody-has",
        ),
        pytest.param(
            backed_up,
            "restore db --as db2 --to 2020-01-01T00:00:00",
            "",
            "2020-01-01 00:00:00 UTC is before the end of the first backup that is kept, FIRST, the earliest that can be restored",
            id="before-the-first-backup",
        ),
        pytest.param(
            backed_up,
            "restore db --as db2 --to 2099-01-01T00:00:00",
            "",
            "2099-01-01 00:00:00 UTC is in the future, now is NOW; name a moment that has passed, or none",
            id="in-the-future",
        ),
        pytest.param(
            backed_up,
            "restore db --as db",
            "",
            "service db lives and has data of its own; name another with --as, or say --over to have it destroyed first",
            id="over-a-living-service",
        ),
        pytest.param(
            backed_up,
            "restore db --as db2 --volume-gb 1",
            "",
            "backup LABEL holds 1.0 GB and a volume of 1 GB is too small; say --volume-gb 2 or more",
            id="volume-too-small",
        ),
        pytest.param(
            backed_up,
            "restore db --as db2 --backup 20200101-000000F",
            "",
            "db has no backup LABEL; the newest is LABEL, see fournines backups db",
            id="a-backup-that-is-not-there",
        ),
        pytest.param(
            never_backed_up,
            "restore db --as db2",
            "",
            "there is no backup of db; take one: fournines backup",
            id="no-backup-yet",
        ),
        pytest.param(
            bereft,
            "backup db",
            "",
            "finding the object store: the cloud's catalogue has no S3. Name one with FOURNINES_OBJECTS_URL (https://...)",
            id="backup-without-object-store",
        ),
        pytest.param(
            bereft,
            "backups db",
            "",
            "finding the object store: the cloud's catalogue has no S3. Name one with FOURNINES_OBJECTS_URL (https://...)",
            id="list-without-object-store",
        ),
        pytest.param(
            bereft,
            "restore db --as db2",
            "",
            "finding the object store: the cloud's catalogue has no S3. Name one with FOURNINES_OBJECTS_URL (https://...)",
            id="restore-without-object-store",
        ),
        pytest.param(
            bereft,
            "drill db",
            "",
            "finding the object store: the cloud's catalogue has no S3. Name one with FOURNINES_OBJECTS_URL (https://...)",
            id="drill-without-object-store",
        ),
        pytest.param(
            running,
            "scale db 1",
            "",
            "demo-db-pg is not made to have 1: 1 of a quorum stands no loss: below 3 every fault is an outage; take 3, or say --force",
            id="below-three-without-force",
        ),
        pytest.param(
            running,
            "scale db 2",
            "",
            "db of platform demo is not scaled to 2: 2 members with synchronous mode take no writes when one is lost; take 3, or 1 without redundancy",
            id="scale-to-two",
        ),
        pytest.param(
            running,
            "scale db 2 --force",
            "",
            "db of platform demo is not scaled to 2: 2 members with synchronous mode take no writes when one is lost; take 3, or 1 without redundancy",
            id="scale-to-two-by-force",
        ),
        pytest.param(
            running,
            "scale bus 4",
            "",
            "bus of platform demo is not scaled to 4: 4 members stand no more losses than 3; take 3 or 5",
            id="scale-to-an-even-quorum",
        ),
        pytest.param(
            running,
            "scale bus 11",
            "",
            "blueprint rabbitmq does not allow it: 11 is greater than the maximum of 9",
            id="scale-beyond-the-blueprint",
        ),
        pytest.param(
            running,
            "switchover db --to 7",
            "",
            "db has no member '7'; there is demo-db-pg-0, demo-db-pg-1, demo-db-pg-2",
            id="switchover-to-nobody",
        ),
        pytest.param(
            running,
            "deploy --service db",
            DATABASE.replace(
                "{volume", "{restore: {service: old, backup: 20260101-000000F}, volume"
            ),
            "db has data of its own, and a restore would take its place; restore into another service, or say so: "
            "fournines restore old --as db --over",
            id="restore-over-a-living-service-in-a-file",
        ),
        pytest.param(
            running,
            "restore bus --as db",
            "",
            "definitions go into a bus that is deployed, and db is none of platform demo; deploy one of that name first",
            id="definitions-into-no-bus",
        ),
        pytest.param(
            running,
            "restore bus --as bus",
            "",
            "nothing is kept of bus yet; take it now: fournines backup bus",
            id="no-definitions-yet",
        ),
        pytest.param(
            running,
            "backup db --kind weekly",
            "",
            "there is no kind 'weekly'; there are full, diff, incr",
            id="a-kind-of-backup-there-is-not",
        ),
    ],
)
def test_one_sentence_before_anything_is_touched(command, prepare, words, file, said):
    """
    It names what is wrong, where, and what to do; nothing but reading was done, and what is asked for is as before.
    """
    world = prepare()
    before = standing(world)
    code, err, done = command(world, words, file)
    assert code in {2, 3, 4}
    assert done <= READS
    assert before == standing(world)
    assert bare(err) == bare(f"fournines: {said}")
