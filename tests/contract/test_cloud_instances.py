"""
The contract of instances.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cloud_rig import SECONDS

from fournines.cloud.errors import DeadlinePassed, RequestInvalid, ResourceMissing


@pytest.fixture(scope="module", autouse=True)
def _base(rig):
    rig.base()


def test_an_instance_is_made_once_even_by_two_at_once(rig):
    """
    Two callers that ensure the same instance get the same one, ACTIVE, with an address, in its zone.
    """
    spec = rig.instance(0)
    with ThreadPoolExecutor(2) as both:
        tasks = [
            both.submit(rig.cloud.ensure_instance, spec, deadline_seconds=SECONDS)
            for _ in range(2)
        ]
        made = [task.result() for task in tasks]
    again = rig.cloud.ensure_instance(spec, deadline_seconds=SECONDS)

    listed = rig.cloud.inventory(rig.platform).instances
    assert [one.id for one in listed if one.name == spec.name] == [again.id]
    assert again.id in {one.id for one in made}
    assert again.status == "ACTIVE"
    assert again.address
    assert again.zone == rig.zone
    assert again.owner == spec.owner
    assert (again.image, again.flavor) == (rig.image, rig.flavor)


def test_a_deadline_passes_and_the_next_call_finds_what_was_begun(rig):
    """
    An ensure that runs out of time says so; called again it goes on with the same instance.
    """
    spec = rig.instance(1)
    with pytest.raises(DeadlinePassed):
        rig.cloud.ensure_instance(spec, deadline_seconds=0.2)
    begun = [i.id for i in rig.cloud.inventory(rig.platform).instances]

    made = rig.cloud.ensure_instance(spec, deadline_seconds=SECONDS)

    assert made.id in begun


def test_a_restart_ends_active(rig):
    """
    A restarted instance is the same instance, ACTIVE again.
    """
    before = rig.cloud.ensure_instance(rig.instance(0), deadline_seconds=SECONDS)

    rig.cloud.restart_instance(before.name, deadline_seconds=SECONDS)

    after = rig.cloud.inventory(rig.platform, "shop").instance(before.name)
    assert after is not None
    assert (after.id, after.status) == (before.id, "ACTIVE")


def test_the_console_says_something(rig):
    """
    A booted instance has said something on its console.
    """
    name = rig.cloud.ensure_instance(rig.instance(0), deadline_seconds=SECONDS).name

    assert rig.until(lambda: rig.cloud.console(name, 5) != "", 30)


def test_restarting_nothing_is_an_error(rig):
    """
    An instance that does not exist cannot be restarted.
    """
    with pytest.raises(ResourceMissing):
        rig.cloud.restart_instance(f"{rig.platform}-none", deadline_seconds=SECONDS)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"image": "no-such-image"}, ResourceMissing),
        ({"flavor": "no-such-flavor"}, ResourceMissing),
        ({"network": "no-such-network"}, ResourceMissing),
        ({"zone": "no-such-zone"}, RequestInvalid),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_made(rig, change, error):
    """
    An unknown image, flavor, network or zone is an error that names it, and leaves no instance behind.
    """
    spec = rig.instance(7, **change)

    with pytest.raises(error, match="no-such"):
        rig.cloud.ensure_instance(spec, deadline_seconds=SECONDS)

    assert rig.cloud.inventory(rig.platform).instance(spec.name) is None


def test_a_deleted_instance_is_gone_when_the_call_returns(rig):
    """
    After a delete the instance is no longer listed, and deleting again is no error.
    """
    name = rig.cloud.ensure_instance(rig.instance(1), deadline_seconds=SECONDS).name

    rig.cloud.delete_instance(name, deadline_seconds=SECONDS)
    rig.cloud.delete_instance(name, deadline_seconds=SECONDS)

    assert rig.cloud.inventory(rig.platform).instance(name) is None
