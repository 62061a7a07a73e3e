"""
What is refused before the first create.
"""

import pytest

from blueprints import preflight
from blueprints.diff import plan_platform
from fournines.model.inventory import Image
from fournines.model.refusal import Reason
from tests.decide.planned_world import PLENTY, World, a_platform, with_groups

SHOP = a_platform(shop={"count": 4})


def said(desired=SHOP, world=None, **quota):
    """The refusals as text."""
    inventory = (world or World()).inventory()
    refusals = preflight.check(desired, inventory, PLENTY.model_copy(update=quota))
    return [(r.reason, r.detail) for r in refusals]


def test_plenty_refuses_nothing():
    """With everything there is, a deploy may begin."""
    assert said() == []


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"image": "debian-21"}, "no image 'debian-21'; did you mean 'debian-12'?"),
        ({"flavor": "m1.tyni"}, "no flavor 'm1.tyni'; did you mean 'm1.tiny'?"),
        ({"zones": ("az1", "ax2")}, "no zone 'ax2' takes instances; did you mean"),
    ],
)
def test_what_is_absent_is_named(changes, detail):
    """With what there is instead."""
    ((reason, text),) = said(with_groups(SHOP, **changes))

    assert reason is Reason.MISSING
    assert detail in text


def test_image_that_is_not_ready_is_absent():
    """Only active images start instances."""
    inventory = (
        World()
        .inventory()
        .model_copy(
            update={"images": (Image(id="i", name="debian-12", status="queued"),)}
        )
    )
    (refusal,) = preflight.check(SHOP, inventory, PLENTY)

    assert refusal.reason is Reason.MISSING


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (Image(id="i", name="debian-12", min_disk_gb=2), "2 GB of disk"),
        (Image(id="i", name="debian-12", min_ram_mb=999), "999 MB of memory"),
    ],
)
def test_flavor_that_is_too_small(image, word):
    """What the image needs is compared with what the flavor has."""
    inventory = World().inventory().model_copy(update={"images": (image,)})
    (refusal,) = preflight.check(SHOP, inventory, PLENTY)

    assert refusal.reason is Reason.CAPACITY
    assert word in refusal.detail


@pytest.mark.parametrize(
    ("quota", "detail"),
    [
        (
            {"instances": 3},
            "4 instances are to be made and the project's quota leaves 3",
        ),
        ({"cores": 3}, "4 cores"),
        ({"ram_mb": 1023}, "1024 MB of memory"),
        ({"floating_ips": 0}, "1 floating IPs"),
        ({"networks": 0}, "1 networks"),
        ({"routers": 0}, "1 routers"),
        ({"security_groups": 0}, "1 security groups"),
        ({"load_balancers": 0}, "1 load balancers"),
        ({"server_groups": 0}, "1 server groups"),
        ({"load_balancers": -5}, "leaves 0"),
    ],
)
def test_quota_that_is_too_small(quota, detail):
    """Summed over everything that is missing."""
    ((reason, text),) = said(**quota)

    assert reason is Reason.QUOTA
    assert detail in text


def test_volumes_count_too():
    """In number and in size."""
    assert len(said(with_groups(SHOP, volume_size_gb=5), volumes=3, volume_gb=19)) == 2


def a_deployed_world(desired=SHOP):
    """A world in which the platform is."""
    world = World()
    return world.perform(plan_platform(desired, world.inventory()))


def test_only_what_is_missing_counts():
    """What is there already needs no quota."""
    assert said(world=a_deployed_world(), instances=0, load_balancers=0) == []


def test_a_roll_needs_its_surge():
    """Four instances are replaced two at a time: two more for a while."""
    rolled = with_groups(SHOP, user_data="#cloud-config\n{}\n", surge=2)

    assert said(rolled, a_deployed_world(), instances=2) == []
    ((_, text),) = said(rolled, a_deployed_world(), instances=1)
    assert text.startswith("2 instances are to be made")


def test_a_roll_with_volumes_needs_nothing_more():
    """The old instance goes first."""
    data = with_groups(SHOP, volume_size_gb=1)
    rolled = with_groups(data, user_data="#cloud-config\n{}\n")

    assert said(rolled, a_deployed_world(data), instances=0) == []


def test_half_built_instances_are_counted_already():
    """Finishing one makes none."""
    world = a_deployed_world()
    world.change("demo-shop-web-0-g1", status="BUILD")

    assert said(world=world, instances=0) == []


def test_changes_of_what_is_there_need_no_quota():
    """A load balancer and a security group that are changed are not made."""
    moved = a_platform(shop={"count": 4, "app_port": 9000})

    assert said(moved, a_deployed_world(), load_balancers=0, security_groups=0) == []
