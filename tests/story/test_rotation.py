"""
Credentials are handed out once and then rotated; certificates are renewed before they end, and nobody misses a member meanwhile.
"""

from __future__ import annotations

import pytest

from tasks import certificates, credentials, deployment, rotation
from tasks.credentials import CredentialsRefused, NothingOffered
from tests.unwind.harness import PLATFORM, World, a_platform

pytestmark = pytest.mark.usefixtures("nothing_concealed")

DAY = 86_400.0
USER_DATA = """#cloud-config
write_files:
  - {path: /etc/secret, content: "@{secret:shop/app}"}
  - {path: /etc/key.pem, content: "@{private-key:@SLOT@}"}
"""


@pytest.fixture
def world():
    """
    A deployed service that offers its address and a password.
    """
    made = World()
    desired = a_platform(ordinal=True, user_data=USER_DATA)
    offers = {
        "host": "@{vip:demo-shop-lb}",
        "port": 5432,
        "password": "@{secret:shop/app}",
        "ca": "@{ca:demo}",
    }
    shop = desired.services[0].model_copy(update={"offers": offers})
    desired = desired.model_copy(update={"services": (shop,)})
    assert deployment.deploy(made.workshop(), desired).ok
    return made


def platform(world):
    """
    What is registered.
    """
    return world.store.registry.platform(PLATFORM)


def generations(world):
    """
    The generation of each instance there is.
    """
    return sorted(i.owner.generation for i in world.cloud.inventory(PLATFORM).instances)


def test_credentials_are_handed_out_once(world):
    """
    The tenant gets address, password and authority; the second time is refused with the way to new ones.
    """
    told = credentials.hand_out(world.workshop(), platform(world), "shop")

    assert told["host"] == world.cloud.world.floating_ips["demo-shop-ip"].address
    assert told["port"] == "5432"
    assert told["password"] == world.store.secrets.current(PLATFORM, "shop/app").text
    assert "BEGIN CERTIFICATE" in told["ca"]
    with pytest.raises(CredentialsRefused, match="--rotate"):
        credentials.hand_out(world.workshop(), platform(world), "shop")


def test_a_service_without_offers_has_no_credentials():
    """
    One sentence says so, for handing out and for rotating.
    """
    world = World()
    assert deployment.deploy(world.workshop(), a_platform(count=1)).ok

    with pytest.raises(NothingOffered, match="no credentials to give"):
        credentials.hand_out(world.workshop(), platform(world), "shop")
    with pytest.raises(NothingOffered):
        rotation.rotate_credentials(world.workshop(), "shop")


def test_rotated_credentials_roll_their_holders_and_are_handed_out_again(world):
    """
    Every instance gets the new password, and the tenant may ask once more.
    """
    before = credentials.hand_out(world.workshop(), platform(world), "shop")

    (rotated,) = rotation.rotate_credentials(world.workshop(), "shop")

    after = credentials.hand_out(world.workshop(), platform(world), "shop")
    assert rotated.result.ok
    assert generations(world) == [2, 2]
    assert after["password"] != before["password"]
    assert after["ca"] == before["ca"]


def test_certificates_are_renewed_when_a_third_is_left(world):
    """
    On the sixtieth day of ninety nothing is due yet; on the sixty-first each instance gets a new one, and afterwards nothing is due.
    """
    workshop = world.workshop()
    world.clock.advance(59 * DAY)
    assert rotation.renew_certificates(workshop) == ()

    world.clock.advance(2 * DAY)
    (rotated,) = rotation.renew_certificates(workshop)

    held = certificates.validities(workshop, PLATFORM)
    assert rotated.result.ok
    assert generations(world) == [2, 2]
    assert all(one.left_seconds(world.clock.now()) > 89 * DAY for one in held.values())
    assert rotation.renew_certificates(workshop) == ()


def test_a_renewal_that_was_cut_short_is_finished_not_repeated(world):
    """
    The edition that was asked for stands: the next round rolls towards it.
    """
    workshop = world.workshop()
    world.clock.advance(61 * DAY)
    certificates.new_edition(workshop, PLATFORM, "shop")

    (rotated,) = rotation.renew_certificates(workshop)

    versions = world.store.secrets.versions(PLATFORM)
    assert rotated.result.ok
    assert versions["@edition/shop"] == 1
    assert generations(world) == [2, 2]
