"""
The platform-wide picture as the healer puts it together on the simulated cloud.
"""

from flows import examination
from fournines.cloud.simulated import Behaviour
from fournines.model.case import Diagnosis
from tests.story.clinic import Clinic


def examined(clinic, instance):
    """
    The picture that one examination of a member gives.
    """
    clinic.alert(instance)
    (case,) = clinic.admissions.sort()
    return examination.examine(clinic.ward, case)


def test_the_picture_shows_every_member_with_its_place(tmp_path):
    """
    Host, zone, release, weight and health of each member; the sick one since its alert.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.break_instance("demo-shop-web-1-g1", Behaviour.HANG)
    clinic.settle(5)
    pattern = examined(clinic, "demo-shop-web-1-g1").situation.pattern

    assert [m.well for m in pattern.members] == [True, False, True, True]
    sick = pattern.member("demo-shop-web-1-g1")
    assert (sick.silent, sick.weight, sick.served, sick.current) == (
        True,
        0,
        True,
        True,
    )
    assert (sick.zone, sick.host, sick.image) == ("az2", "az2-host1", "debian-12")
    assert sick.since > sick.created_at
    assert str(pattern.share) == "1 of 4"


def test_a_zone_that_dies_is_seen_before_the_cloud_says_so(tmp_path):
    """
    Neighbours are asked too: both members of the zone are silent, the others well, long before Nova notices.
    """
    clinic = Clinic(tmp_path)
    # Which of two instances the cloud made first is chance.
    lost = tuple(sorted(clinic.cloud.break_zone("az1")))
    clinic.settle(4)
    seen = examined(clinic, lost[0])

    assert lost == ("demo-shop-web-0-g1", "demo-shop-web-3-g1")
    assert seen.finding.diagnosis is Diagnosis.ZONE_DOWN
    assert seen.finding.cause == "zone az1"
    assert seen.situation.pattern.zones_down() == ("az1",)
    assert seen.situation.inventory.instance(lost[1]).status == "ACTIVE"


def test_an_empty_slot_is_in_the_picture(tmp_path):
    """
    An instance that vanished leaves an unwell place, on no host.
    """
    clinic = Clinic(tmp_path)
    clinic.cloud.vanish("demo-shop-web-2-g1")
    clinic.settle(5)
    pattern = examined(clinic, "demo-shop-web-0-g1").situation.pattern

    (empty,) = pattern.unwell
    assert (empty.key, empty.host, empty.generation) == ("shop/web/2", None, 0)
