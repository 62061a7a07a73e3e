"""
Backups from afar: where they lie, what a deploy makes for them, and restores that are refused before anything is touched. The cloud and the object
store are the simulated ones; pgBackRest's own part is proved on the embedded cloud.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from blueprints import platform_file
from blueprints.catalogue import all_blueprints
from blueprints.compiling import compile_platform
from blueprints.postgres import repository as kept
from fournines.cloud.simulated import Scenario, SimulatedCloud
from fournines.model.inventory import Flavor, Image
from fournines.model.refusal import Reason
from fournines.trust import salted
from tasks import deployment, repositories, restoring, vaults
from tasks.restoring import RestoreRefused, Wish
from tests.unwind.harness import World

TEXT = """\
platform: demo
services:
  db: {blueprint: postgres, parameters: {volume_size_gb: 2, settings: {max_wal_size: 64MB}}}
"""
GB = 1 << 30


def compiled(text=TEXT):
    """
    What a platform file asks for.
    """
    return compile_platform(platform_file.from_text(text, "p.yaml"), all_blueprints())


def a_world(*, objects=True):
    """
    A simulated cloud on which a database can be deployed.
    """
    world = World()
    scenario = Scenario(
        objects=objects,
        images=(Image(id="i", name="postgres"),),
        flavors=(Flavor(id="f", name="m1.medium", vcpus=2, ram_mb=1024, disk_gb=4),),
    )
    world.cloud = SimulatedCloud(scenario, world.clock)
    return world


def with_backups(world, *hours_ago, size_bytes=GB):
    """
    The database deployed as far as the registry knows, with full backups that ended so long ago; the workshop.
    """
    operators = {"postgres": lambda _workshop: world.operator}
    workshop = replace(world.workshop(), operators=operators)
    world.store.registry.put_platform(compiled(), at=world.clock.now())
    vault = vaults.opened(workshop, "demo", "db")
    vault.store.ensure_bucket(vault.bucket)
    lines = []
    for hours in hours_ago:
        ended = world.clock.now() - timedelta(hours=hours)
        stop = int(ended.timestamp())
        lines.append(
            f'{ended.astimezone(UTC):%Y%m%d-%H%M%S}F={{"backup-timestamp-start":{stop - 60},"backup-timestamp-stop":{stop},'
            f'"backup-type":"full","backup-info-size":{size_bytes},"backup-info-repo-size-delta":1}}'
        )
    sealed = salted.sealed("\n".join(lines).encode(), vault.cipher, b"saltsalt")
    vault.store.write(vault.bucket, kept.INFO, sealed)
    return workshop


def refused(world, workshop, wish):
    """
    The sentence of a restore that is refused; nothing was asked of the cloud that changes it.
    """
    before = world.store.registry.platform("demo")
    with pytest.raises(RestoreRefused) as caught:
        restoring.restore(workshop, before, wish)
    assert world.store.registry.platform("demo") == before
    assert world.cloud.inventory("demo").instances == ()
    assert not world.cloud.world.networks
    return str(caught.value)


def test_a_deploy_has_bucket_and_key_before_the_first_instance():
    """
    Made from secrets that are kept first: whoever comes after a crash makes the same ones.
    """
    world = a_world()
    workshop = world.workshop()
    desired = compiled()
    made, against = deployment.plan(workshop, desired)
    assert against == ()

    for _ in range(2):
        vaults.prepare(workshop, desired, made)

    vault = vaults.opened(workshop, "demo", "db")
    assert vault.bucket.startswith("demo-db-")
    assert vault.store.has_bucket(vault.bucket)
    access = world.store.secrets.current("demo", "db/backup-access").text
    assert world.cloud.world.object_keys == {access}
    assert vaults.fact(workshop, "demo", "bucket/db") == vault.bucket
    assert repositories.read(workshop, "demo", "db").backups == ()


def test_without_an_object_store_nothing_is_begun():
    """
    One sentence says what to do; a database that wants no backups needs none.
    """
    world = a_world(objects=False)
    _, against = deployment.plan(world.workshop(), compiled())
    (refusal,) = against
    assert refusal.reason is Reason.MISSING
    assert "FOURNINES_OBJECTS_URL" in refusal.detail
    assert "backups: {enabled: false}" in refusal.detail

    without = compiled(TEXT.replace("{volume", "{backups: {enabled: false}, volume"))
    _, against = deployment.plan(world.workshop(), without)
    assert against == ()


def test_a_restore_over_what_lives_is_refused_in_a_platform_file_too():
    """
    It would be silently ignored: the volumes have data already.
    """
    world = a_world()
    workshop = with_backups(world, 1)
    begun = "{restore: {service: old, backup: 20260101-000000F}, volume"
    _, against = deployment.plan(workshop, compiled(TEXT.replace("{volume", begun)))

    (refusal,) = against
    assert refusal.reason is Reason.IMMUTABLE
    assert "--over" in refusal.detail


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        pytest.param(
            {"new": "db"}, "service db lives and has data of its own", id="living"
        ),
        pytest.param({"new": "DB 2"}, "'DB 2' is no name", id="no-name"),
        pytest.param(
            {"backup": "20200101-000000F"},
            "db has no backup 20200101-000000F",
            id="unknown",
        ),
        pytest.param(
            {"volume_gb": 1},
            "a volume of 1 GB is too small; say --volume-gb 2",
            id="small",
        ),
    ],
)
def test_bad_input_is_one_sentence(wish, said):
    """
    Before anything is touched.
    """
    world = a_world()
    workshop = with_backups(world, 5, 1)
    assert said in refused(world, workshop, Wish("db", **{"new": "db2", **wish}))


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (-1, "is in the future"),
        (6, "is before the end of the first backup that is kept"),
        (2, "db does not answer, and the log that is kept of it ends at nowhere"),
    ],
)
def test_a_moment_that_cannot_be_had_is_one_sentence(hours, said):
    """
    In the future, before the first backup, and beyond what a service that is lost has sent.
    """
    world = a_world()
    workshop = with_backups(world, 5, 1)
    to = world.clock.now() - timedelta(hours=hours)
    assert said in refused(world, workshop, Wish("db", "db2", to))


def test_without_backups_there_is_nothing_to_restore():
    """
    Never taken, and the store away, are two sentences.
    """
    world = a_world()
    workshop = with_backups(world)
    assert "there is no backup of db; take one" in refused(
        world, workshop, Wish("db", "db2")
    )


def test_the_new_service_is_as_the_old_one_and_says_where_its_data_is_from():
    """
    Same parameters, flavor and zones; its first member restores from the other's bucket, and writes into one of its own.
    """
    platform = compiled()
    source = platform.service("db")
    wish = Wish("db", "db2", volume_gb=3)
    backup = kept.backups_in(
        '20261127-191616F={"backup-timestamp-start":1,"backup-timestamp-stop":2,"backup-type":"full",'
        '"backup-info-size":1,"backup-info-repo-size-delta":1}'
    )[0]
    service, entry = restoring.compiled(
        platform,
        source,
        "db2",
        restoring.parameters_of(source, wish, backup),
    )

    (group,) = service.groups
    data = group.user_data
    assert (group.flavor, group.zones) == ("m1.medium", source.groups[0].zones)
    assert group.volume_size_gb == 3
    assert "@{objects:bucket/db}" in data
    assert "@{secret:db/backup-cipher}" in data
    assert "@{objects:bucket/db2}" in data
    assert "@{secret:db2/backup-cipher}" in data
    assert "method: another" in data
    assert entry["parameters"]["restore"] == {
        "service": "db",
        "backup": "20261127-191616F",
    }


def test_what_is_kept_is_deleted_with_its_key_when_somebody_says_so():
    """
    A service that comes later under that name begins with another bucket, key and cipher.
    """
    world = a_world()
    workshop = with_backups(world, 1)
    before = vaults.opened(workshop, "demo", "db")
    assert vaults.is_known(workshop, "demo", "db")

    for _ in range(2):
        vaults.destroy(workshop, "demo", "db")

    assert not before.store.has_bucket(before.bucket)
    assert not vaults.is_known(workshop, "demo", "db")
    assert not world.cloud.world.object_keys
    assert vaults.opened(workshop, "demo", "db").bucket != before.bucket
