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


def test_a_slot_s_port_keeps_its_address_when_the_instance_is_replaced(rig):
    """
    An instance takes its port's address; when it goes the port stays, and the next instance in the slot has the same address.
    """
    port = rig.cloud.ensure_port(rig.port(3), deadline_seconds=SECONDS)
    again = rig.cloud.ensure_port(rig.port(3), deadline_seconds=SECONDS)
    specs = [
        rig.instance(3, generation).model_copy(update={"port": rig.port(3).name})
        for generation in (1, 2)
    ]
    first = rig.cloud.ensure_instance(specs[0], deadline_seconds=SECONDS)
    listed = rig.cloud.inventory(rig.platform).ports
    rig.cloud.delete_instance(first.name, deadline_seconds=SECONDS)
    free = rig.cloud.inventory(rig.platform).ports
    second = rig.cloud.ensure_instance(specs[1], deadline_seconds=SECONDS)
    rig.cloud.delete_instance(second.name, deadline_seconds=SECONDS)
    told = rig.cloud.port_addresses([rig.port(3).name])
    rig.cloud.delete_port(rig.port(3).name, deadline_seconds=SECONDS)

    assert again.id == port.id
    assert port.owner == rig.owner(group="web", slot=3)
    assert first.address == second.address == port.address == told[port.name]
    assert [(p.id, p.attached_to) for p in listed] == [(port.id, first.id)]
    assert [(p.id, p.attached_to) for p in free] == [(port.id, None)]
    assert rig.cloud.inventory(rig.platform).ports == ()


def test_a_port_that_is_not_there_has_no_address(rig):
    """
    Asking for the address of an unknown port is an error that names it.
    """
    with pytest.raises(ResourceMissing, match="nothing"):
        rig.cloud.port_addresses([f"{rig.platform}-nothing"])


def test_withdrawn_metadata_is_gone_and_the_mark_stays(rig):
    """
    An entry of an instance's metadata can be withdrawn, twice if need be; whose it is stays written there.
    """
    spec = rig.instance(4).model_copy(update={"metadata": {"key": "value"}})
    rig.cloud.ensure_instance(spec, deadline_seconds=SECONDS)

    for _ in range(2):
        rig.cloud.withdraw_metadata(spec.name, "key", deadline_seconds=SECONDS)

    found = rig.cloud.inventory(rig.platform).instance(spec.name)
    assert found.owner == spec.owner
    rig.cloud.delete_instance(spec.name, deadline_seconds=SECONDS)
    with pytest.raises(ResourceMissing):
        rig.cloud.withdraw_metadata(spec.name, "key", deadline_seconds=SECONDS)
