"""
The contract of what a platform's services share: networks, security groups, server groups, volumes.
"""

from __future__ import annotations

import pytest
from cloud_rig import SECONDS

from fournines.cloud.errors import NameTaken
from fournines.model import traits
from fournines.model.specification import VolumeSpec


def test_a_network_is_made_once(rig):
    """
    Ensuring a network twice gives the same network, usable: with a subnet and a router.
    """
    first = rig.cloud.ensure_network(rig.network(), deadline_seconds=SECONDS)
    second = rig.cloud.ensure_network(rig.network(), deadline_seconds=SECONDS)

    assert first == second
    assert first.cidr
    assert first.router_id
    assert first.owner == rig.network().owner


def test_a_security_group_is_made_once_and_kept_up_to_date(rig):
    """
    Ensuring a security group with other rules changes the rules, not the group.
    """
    first = rig.cloud.ensure_security_group(
        rig.security_group(8080, 22), deadline_seconds=SECONDS
    )
    second = rig.cloud.ensure_security_group(
        rig.security_group(8080), deadline_seconds=SECONDS
    )

    assert first.id == second.id


def test_a_security_group_says_what_it_lets_in_when_it_is_looked_at_closely(rig):
    """
    Every rule in one clause; a reading that does not look closely says nothing of rules.
    """
    wide = rig.security_group(8080, 22)
    rig.cloud.ensure_security_group(wide, deadline_seconds=SECONDS)
    (seen,) = rig.cloud.inventory(rig.platform, closely=True).security_groups
    (glanced,) = rig.cloud.inventory(rig.platform).security_groups

    assert seen.rules == ("tcp 22 from anywhere", "tcp 8080 from anywhere")
    assert glanced.rules is None

    asked = rig.security_group(8080)
    rig.cloud.ensure_security_group(asked, deadline_seconds=SECONDS)
    (seen,) = rig.cloud.inventory(rig.platform, closely=True).security_groups

    assert traits.rules_differing(asked.rules, seen.rules) == ""


def test_a_server_group_is_made_once(rig):
    """
    Ensuring a server group twice gives the same group, with its policy.
    """
    spec = rig.server_group()
    first = rig.cloud.ensure_server_group(spec, deadline_seconds=SECONDS)
    second = rig.cloud.ensure_server_group(spec, deadline_seconds=SECONDS)

    assert first == second
    assert first.policy == spec.policy


def test_the_inventory_shows_what_was_made_and_whose_it_is(rig):
    """
    What was ensured is listed with its owner, and nothing of it is a stranger.
    """
    rig.base()

    found = rig.cloud.inventory(rig.platform)

    assert [network.name for network in found.networks] == [rig.network_name]
    assert found.security_groups[0].owner == rig.owner(group="web")
    assert found.server_groups[0].owner == rig.owner(group="web")
    made = {*found.networks, *found.security_groups, *found.server_groups}
    assert not any(one.id in text for one in made for text in found.strangers)
    assert rig.image in [image.name for image in found.images]
    assert rig.flavor in [flavor.name for flavor in found.flavors]
    assert rig.zone in found.zones


def test_one_service_s_inventory_leaves_other_services_out(rig):
    """
    Asked for another service, the inventory shows the shared network and nothing of ours.
    """
    rig.base()

    found = rig.cloud.inventory(rig.platform, "other")

    assert [network.name for network in found.networks] == [rig.network_name]
    assert found.security_groups == ()
    assert found.server_groups == ()


@pytest.mark.parametrize("kind", ["network", "security-group"])
def test_a_stranger_s_name_is_taken(rig, kind):
    """
    A resource without our mark is neither used nor deleted, and is shown as a stranger.
    """
    name = f"{rig.platform}-taken"
    rig.reserve.append(rig.plant(kind, name))
    noun = kind.replace("-", "_")
    spec = {"network": rig.network(), "security_group": rig.security_group(80)}[noun]

    with pytest.raises(NameTaken):
        getattr(rig.cloud, f"ensure_{noun}")(
            spec.model_copy(update={"name": name}), deadline_seconds=SECONDS
        )
    with pytest.raises(NameTaken):
        getattr(rig.cloud, f"delete_{noun}")(name, deadline_seconds=SECONDS)

    strangers = rig.cloud.inventory(rig.platform).strangers
    assert any(one.startswith(f"{kind} {name} ") for one in strangers)


@pytest.mark.parametrize(
    "noun",
    [
        "instance",
        "volume",
        "load_balancer",
        "floating_ip",
        "port",
        "security_group",
        "server_group",
        "network",
    ],
)
def test_deleting_what_is_gone_succeeds(rig, noun):
    """
    A delete of something that does not exist is no error: it may run twice.
    """
    delete = getattr(rig.cloud, f"delete_{noun}")

    assert delete(f"{rig.platform}-nothing", deadline_seconds=SECONDS) is None


def test_a_volume_is_made_once_and_deleted(rig):
    """
    Ensuring a volume twice gives the same one; deleted, it is no longer listed.
    """
    spec = VolumeSpec(name=rig.name(9), owner=rig.owner(group="web", slot=9), size_gb=1)
    first = rig.cloud.ensure_volume(spec, deadline_seconds=SECONDS)
    second = rig.cloud.ensure_volume(spec, deadline_seconds=SECONDS)
    listed = rig.cloud.inventory(rig.platform).volumes
    rig.cloud.delete_volume(spec.name, deadline_seconds=SECONDS)

    assert first.id == second.id == listed[0].id
    assert first.status == "available"
    assert rig.cloud.inventory(rig.platform).volumes == ()


def test_the_quota_counts_what_there_is(rig):
    """
    What may still be made is unlimited (-1) or not negative.
    """
    left = rig.cloud.quota().model_dump()

    assert all(value >= -1 for value in left.values())
