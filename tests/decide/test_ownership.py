"""
Only what registry and tags say is ours is touched.
"""

import pytest

from fournines.model.inventory import Volume
from fournines.model.ownership import Owner
from fournines.model.refusal import Reason
from healing import ownership
from tests.decide.slot_world import a_situation, an_instance

OURS = Owner(platform="demo", service="shop", group="web", slot=0)
INSTANCE = ("instance", "demo-shop-web-0-g1")


def with_volume(**known):
    """
    Slot 0 with its volume.
    """
    facts = {"status": "in-use", "owner": OURS, "attached_to": "id-0-1"} | known
    volume = Volume(id="v0", name="demo-shop-web-0", size_gb=10, **facts)
    situation = a_situation(volume_size_gb=10)
    inventory = situation.inventory.model_copy(update={"volumes": (volume,)})
    return a_situation(volume_size_gb=10, inventory=inventory)


def with_balancer(owner):
    """
    A load balancer with such a mark.
    """
    situation = a_situation()
    (balancer,) = situation.inventory.load_balancers
    changed = balancer.model_copy(update={"owner": owner})
    inventory = situation.inventory.model_copy(update={"load_balancers": (changed,)})
    return a_situation(inventory=inventory)


@pytest.mark.parametrize(
    ("situation", "refused"),
    [
        pytest.param(a_situation(), False, id="ours-by-its-tags"),
        pytest.param(a_situation(registered={INSTANCE: "id-0-1"}), False, id="by-both"),
        pytest.param(
            a_situation(registered={INSTANCE: "another"}), True, id="a-copy-of-its-tags"
        ),
        pytest.param(
            a_situation(registered={("instance", "other"): "x"}),
            False,
            id="not-remembered-is-judged-by-its-tags",
        ),
        pytest.param(
            a_situation(instance=an_instance(0, owner=None)), True, id="no-mark"
        ),
        pytest.param(
            a_situation(instance=an_instance(1)), True, id="the-mark-of-another-slot"
        ),
        pytest.param(with_balancer(None), True, id="a-load-balancer-without-mark"),
        pytest.param(
            with_balancer(Owner(platform="theirs")), True, id="a-foreign-load-balancer"
        ),
        pytest.param(
            with_balancer(Owner(platform="demo", service="other")),
            True,
            id="another-services-load-balancer",
        ),
        pytest.param(
            with_balancer(Owner(platform="demo", service="shop")),
            False,
            id="our-load-balancer",
        ),
        pytest.param(
            a_situation(registered={("load-balancer", "demo-shop-lb"): "another"}),
            True,
            id="a-load-balancer-made-anew-by-somebody",
        ),
        pytest.param(with_volume(), False, id="our-volume"),
        pytest.param(with_volume(attached_to=None), False, id="our-free-volume"),
        pytest.param(with_volume(owner=None), True, id="a-volume-without-mark"),
        pytest.param(
            with_volume(attached_to="id-1-1"), True, id="a-volume-in-another-slot"
        ),
    ],
)
def test_not_ours(situation, refused):
    """
    Instance, load balancer and volume each need the mark of this place, and to be the one that the registry knows.
    """
    found = ownership.not_ours(situation)

    assert refused == (found is not None)
    assert found is None or found.reason is Reason.NOT_OURS


@pytest.mark.parametrize(
    ("situation", "refused"),
    [
        pytest.param(a_situation(), False, id="free"),
        pytest.param(
            a_situation(instance=an_instance(0, locked=True)), True, id="locked"
        ),
        pytest.param(
            a_situation(
                instances=(
                    an_instance(0),
                    an_instance(0, generation=2, locked=True),
                    an_instance(1),
                )
            ),
            True,
            id="a-leftover-of-its-slot-is-locked",
        ),
        pytest.param(
            a_situation(instances=(an_instance(0), an_instance(1, locked=True))),
            False,
            id="another-slots-lock-is-no-matter",
        ),
        pytest.param(
            with_volume(status="awaiting-transfer"), True, id="its-volume-is-given-away"
        ),
        pytest.param(with_volume(status="in-use"), False, id="its-volume-is-in-use"),
    ],
)
def test_locked(situation, refused):
    """
    What somebody holds is left alone.
    """
    found = ownership.locked(situation)

    assert refused == (found is not None)
