"""
An authority comes to its end: its successor is trusted everywhere before it signs anything, and nobody meets a certificate of one it does not know.
"""

from __future__ import annotations

import json

import pytest
from cryptography import x509

from tasks import certificates, deployment, reconciliation, rotation
from tests.unwind.harness import PLATFORM, World, a_platform

pytestmark = pytest.mark.usefixtures("nothing_concealed")

DAY = 86_400.0
DUE = 3_650 * 2 / 3 + 1
USER_DATA = """#cloud-config
write_files:
  - {path: /etc/ca.pem, content: "@{ca:demo}"}
  - {path: /etc/certificate.pem, content: "@{certificate:@SLOT@}"}
  - {path: /etc/key.pem, content: "@{private-key:@SLOT@}"}
"""


@pytest.fixture
def world():
    """
    A service of three whose instances trust the authority and carry its certificates.
    """
    made = World()
    desired = a_platform(ordinal=True, user_data=USER_DATA)
    assert deployment.deploy(made.workshop(), desired).ok
    return made


def files(world):
    """
    What each instance was told, by path.
    """
    found = []
    for record in world.cloud.world.instances.values():
        data = json.loads(record.spec.user_data.partition("\n")[2])
        found.append({one["path"]: one["content"] for one in data["write_files"]})
    return found


def signed_by_one_trusted(world):
    """
    Whether every instance trusts whoever signed the certificate of every other.
    """
    for one in files(world):
        known = x509.load_pem_x509_certificates(one["/etc/ca.pem"].encode())
        for other in files(world):
            leaf = x509.load_pem_x509_certificate(
                other["/etc/certificate.pem"].encode()
            )
            if not any(_is_of(leaf, authority) for authority in known):
                return False
    return True


def _is_of(leaf, authority):
    try:
        leaf.verify_directly_issued_by(authority)
    except Exception:  # noqa: BLE001  another key's signature
        return False
    return True


def authorities(world):
    """
    How many certificates of authorities each instance has.
    """
    return {one["/etc/ca.pem"].count("BEGIN CERTIFICATE") for one in files(world)}


def test_an_authority_is_replaced_in_two_rolls_with_time_between(world):
    """
    A third before its end everybody is told of the next; ninety days later that one signs. At each step everybody trusts everybody.
    """
    workshop = world.workshop()
    first = certificates.of_authority(workshop, PLATFORM)
    world.clock.advance((DUE - 2) * DAY)
    assert rotation.renew_authorities(workshop) == ()

    world.clock.advance(2 * DAY)
    told = rotation.renew_authorities(workshop)

    assert [one.result.ok for one in told] == [True]
    assert authorities(world) == {2}
    assert certificates.of_authority(workshop, PLATFORM) == first
    assert signed_by_one_trusted(world)
    assert rotation.renew_authorities(workshop) == ()

    world.clock.advance(91 * DAY)
    replaced = rotation.renew_authorities(workshop)

    assert [one.result.ok for one in replaced] == [True]
    assert certificates.of_authority(workshop, PLATFORM) != first
    assert signed_by_one_trusted(world)
    assert certificates.trusted(workshop, PLATFORM).count("BEGIN CERTIFICATE") == 2
    assert rotation.renew_authorities(workshop) == ()
    assert all(one.ok for one in reconciliation.reconcile(workshop))
    world.clock.advance(3_650 / 3 * DAY)
    assert certificates.trusted(workshop, PLATFORM).count("BEGIN CERTIFICATE") == 1


def test_nobody_signs_anew_while_somebody_does_not_know_it(world):
    """
    One instance is locked and cannot be rolled: the old authority goes on signing, and the next round says so again.
    """
    workshop = world.workshop()
    first = certificates.of_authority(workshop, PLATFORM)
    locked = min(world.cloud.world.instances)
    world.cloud.lock_instance(locked)
    world.clock.advance(DUE * DAY)
    for _ in range(2):
        told = rotation.renew_authorities(workshop)
        assert not all(one.result.ok for one in told)
        world.clock.advance(91 * DAY)

    assert certificates.of_authority(workshop, PLATFORM) == first


def test_whoever_died_between_two_steps_is_followed(world):
    """
    The next one was founded and nobody told, or the former kept and nothing signed: the next round ends where an undisturbed one does.
    """
    workshop = world.workshop()
    world.clock.advance(DUE * DAY)
    coming = certificates.announce_successor(workshop, PLATFORM)
    assert certificates.announce_successor(workshop, PLATFORM) == coming
    assert world.store.secrets.versions(PLATFORM)["@trust"] == 1

    certificates.promote_successor(workshop, PLATFORM)
    certificates.promote_successor(workshop, PLATFORM)

    assert certificates.successor(workshop, PLATFORM) is None
    assert world.store.secrets.versions(PLATFORM)["@authority"] == 2
