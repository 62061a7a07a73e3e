"""
The contract of images: made of an instance that is shut down, described, deleted; never anybody else's.
"""

from __future__ import annotations

import pytest
from cloud_rig import SECONDS

from fournines.cloud.errors import NameTaken, ResourceMissing
from fournines.model.ownership import IMAGE_MARK
from fournines.model.specification import ImageSpec


@pytest.fixture(scope="module")
def spec(rig):
    """
    An image of an instance that was stopped, made once for all tests here.
    """
    rig.base()
    made = rig.cloud.ensure_instance(rig.instance(0), deadline_seconds=SECONDS)
    rig.cloud.stop_instance(made.name, deadline_seconds=SECONDS)
    spec = ImageSpec(
        name=f"{rig.platform}-picture",
        instance=made.name,
        properties={"fournines_recipe": "picture", "fournines_state": "candidate"},
    )
    rig.reserve.append(
        lambda: rig.cloud.delete_image(spec.name, deadline_seconds=SECONDS)
    )
    rig.cloud.ensure_image(spec, deadline_seconds=SECONDS)
    return spec


def named(rig, name):
    """
    The images of that name.
    """
    return [image for image in rig.cloud.images() if image.name == name]


def test_a_stopped_instance_is_shut_off_and_stays_so(rig, spec):
    """
    After a stop the instance is SHUTOFF; stopping it again is no error.
    """
    rig.cloud.stop_instance(spec.instance, deadline_seconds=SECONDS)

    found = rig.cloud.inventory(rig.platform).instance(spec.instance)
    assert found is not None
    assert found.status == "SHUTOFF"


def test_an_image_is_made_once_with_its_properties(rig, spec):
    """
    Ensured twice it is one image, active, with what it was given and the mark that names it.
    """
    again = rig.cloud.ensure_image(spec, deadline_seconds=SECONDS)

    assert [image.id for image in named(rig, spec.name)] == [again.id]
    assert again.status == "active"
    assert (
        again.properties.items()
        >= {
            "fournines_recipe": "picture",
            IMAGE_MARK: spec.name,
        }.items()
    )


def test_describing_changes_what_is_said_and_keeps_the_rest(rig, spec):
    """
    Properties are set one by one, new ones and old ones; saying the same again changes nothing.
    """
    said = {"fournines_state": "current", "fournines_note": "new"}
    for _ in range(2):
        rig.cloud.describe_image(spec.name, said, deadline_seconds=SECONDS)

    (found,) = named(rig, spec.name)
    assert found.properties.items() >= {**said, "fournines_recipe": "picture"}.items()


def test_what_an_instance_was_made_from_is_in_use(rig, spec):
    """
    The image that instances were made from is in use; one that none was made from is not.
    """
    used = rig.cloud.images_in_use()

    (base,) = named(rig, rig.image)
    (picture,) = named(rig, spec.name)
    assert base.id in used
    assert picture.id not in used


def test_an_instance_boots_from_it_and_hands_its_mark_down_to_nobody(rig, spec):
    """
    An instance can be made from the image; an image of that instance bears its own name as mark, whatever it inherits.
    """
    child = rig.instance(2, image=spec.name)
    rig.cloud.ensure_instance(child, deadline_seconds=SECONDS)
    rig.cloud.stop_instance(child.name, deadline_seconds=SECONDS)
    copy = ImageSpec(name=f"{rig.platform}-copy", instance=child.name, properties={})
    try:
        made = rig.cloud.ensure_image(copy, deadline_seconds=SECONDS)
        assert made.properties[IMAGE_MARK] == copy.name
        assert made.properties["fournines_recipe"] == "picture"
    finally:
        rig.cloud.delete_image(copy.name, deadline_seconds=SECONDS)
        rig.cloud.delete_instance(child.name, deadline_seconds=SECONDS)

    assert named(rig, copy.name) == []


def test_what_is_not_ours_is_left_alone(rig):
    """
    An image without our mark is neither described, nor deleted, nor taken for one of ours.
    """
    for act in (
        lambda: rig.cloud.delete_image(rig.image, deadline_seconds=SECONDS),
        lambda: rig.cloud.describe_image(
            rig.image, {"fournines_state": "current"}, deadline_seconds=SECONDS
        ),
        lambda: rig.cloud.ensure_image(
            ImageSpec(name=rig.image, instance="nothing", properties={}),
            deadline_seconds=SECONDS,
        ),
    ):
        with pytest.raises(NameTaken):
            act()

    assert len(named(rig, rig.image)) == 1


def test_what_is_missing_is_named(rig):
    """
    An image of nothing and words about nothing are errors; deleting nothing is none.
    """
    with pytest.raises(ResourceMissing, match="nobody"):
        rig.cloud.ensure_image(
            ImageSpec(name=f"{rig.platform}-none", instance="nobody", properties={}),
            deadline_seconds=SECONDS,
        )
    with pytest.raises(ResourceMissing):
        rig.cloud.describe_image("no-such-image", {}, deadline_seconds=SECONDS)
    with pytest.raises(ResourceMissing):
        rig.cloud.stop_instance("nobody", deadline_seconds=SECONDS)
    rig.cloud.delete_image("no-such-image", deadline_seconds=SECONDS)
