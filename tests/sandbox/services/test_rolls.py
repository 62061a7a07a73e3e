"""
A weekly rebake reaches a service in use: a deploy takes every member to the newer image, one after the other, and nobody loses what was acknowledged.
"""

from __future__ import annotations

import sys
import time

import pytest

from blueprints import baked
from tests.sandbox.services import clients
from tests.sandbox.services.command import fournines

pytestmark = [pytest.mark.sandbox, pytest.mark.bench]

MEDIUM = {"flavor": "m1.medium", "volume_size_gb": 1}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(("cache", {"flavor": "m1.small"}), id="cache"),
        pytest.param(("rabbitmq", MEDIUM | clients.TOPOLOGY), id="bus"),
        pytest.param(("postgres", MEDIUM), id="database"),
    ],
)
def test_a_newer_image_is_rolled_through_a_service_in_use(
    deployed, kind, tmp_path, capsys
):
    """
    Each slot has another instance, of the newer image, with the address it had; each is a full member, and a plan finds nothing to do.
    """
    blueprint, parameters = kind
    service = deployed(blueprint, "data", **parameters)
    before = service.view()
    slots = [one.slot_name for one in before.members]
    old = {slot: service.instance(slot) for slot in slots}
    fournines("bake", blueprint, "--again")

    with clients.application(service, tmp_path) as users:
        users.await_more(100)
        began = time.time()
        fournines("deploy", str(service.file), "--plain")
        took = time.time() - began
        users.await_more(100)
    after = service.view()
    booted = {service.cluster().instance(slot).image for slot in slots}
    images = service.workshop.cloud.images()
    newest = baked.current(baked.read(images), blueprint)

    with capsys.disabled():
        sys.stdout.write(
            f"\n    {blueprint}: rolled in {took:.1f} s, {users.acknowledged()} "
            f"acknowledged, longest pause {users.longest_pause(began):.1f} s\n"
        )
    assert users.lost() == []
    assert not {service.instance(slot) for slot in slots} & set(old.values())
    assert newest is not None
    assert booted == {newest.name}
    assert all(one.settled for one in after.members), after
    assert {one.slot_name: one.address for one in after.members} == {
        one.slot_name: one.address for one in before.members
    }
    assert service.planned_steps() == 0
