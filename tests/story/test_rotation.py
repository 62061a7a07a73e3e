"""
Credentials are handed out once and then rotated; certificates are renewed before they end, and nobody misses a member meanwhile.
"""

from __future__ import annotations

import json

import pytest

from fournines.cloud.errors import DeadlinePassed
from tasks import certificates, credentials, deployment, rotation
from tasks.audience import Audience
from tasks.credentials import CredentialsRefused, NothingOffered
from tasks.operators.registered import access_of
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


LOGINS = """#cloud-config
write_files:
  - {path: /etc/login, content: "@{login:shop/login-app}"}
  - {path: /etc/password, content: "@{secret:shop/login-app}"}
"""


@pytest.fixture
def users():
    """
    A deployed service that somebody logs into, whose instances have login and password themselves.
    """
    made = World()
    desired = a_platform(ordinal=True, user_data=LOGINS)
    offers = {
        "user": "@{login:shop/login-app}",
        "password": "@{secret:shop/login-app}",
    }
    shop = desired.services[0].model_copy(update={"offers": offers})
    desired = desired.model_copy(update={"services": (shop,)})
    assert deployment.deploy(made.workshop(), desired).ok
    return made


def let_in(world):
    """
    Who is let in now, the one in force first.
    """
    access = access_of(world.workshop())(platform(world).service("shop"))
    return access.logins("app")


def held(world):
    """
    The logins that instances hold; their passwords are sealed.
    """
    found = set()
    for record in world.cloud.world.instances.values():
        document = json.loads(record.spec.user_data.partition("\n")[2])
        files = {one["path"]: one["content"] for one in document["write_files"]}
        found.add(files["/etc/login"])
    return found


def test_former_credentials_let_in_until_everybody_has_the_new(users):
    """
    At every moment of a rotation what any instance holds is let in; at its end the former is not.
    """
    before = dict(let_in(users))
    seen = []

    def watching(_step, work):
        seen.append(dict(let_in(users)))
        return work()

    assert list(before) == ["app.a"]

    (rotated,) = rotation.rotate_credentials(
        users.workshop(), "shop", audience=Audience(performer=watching)
    )

    assert rotated.result.ok
    assert {tuple(one) for one in seen} == {("app.b", "app.a")}
    assert all(one["app.a"] == before["app.a"] for one in seen)
    after = let_in(users)
    assert list(after) == ["app.b"]
    assert held(users) == {"app.b"}
    told = credentials.hand_out(users.workshop(), platform(users), "shop")
    assert told == {"user": "app.b", "password": after["app.b"]}


def test_a_rotation_that_was_cut_short_is_finished_before_the_next(users):
    """
    Whoever still has the former credentials gets those in force before their name is used again.
    """
    credentials.renew(users.workshop(), platform(users), "shop")
    first, second = let_in(users)["app.a"], let_in(users)["app.b"]
    assert held(users) == {"app.a"}

    done = rotation.rotate_credentials(users.workshop(), "shop")

    assert [one.result.ok for one in done] == [True, True]
    assert generations(users) == [3, 3]
    assert list(let_in(users)) == ["app.a"]
    assert let_in(users)["app.a"] not in {first, second}


def test_a_login_of_before_goes_on_until_the_next_rotation(users):
    """
    A service deployed when each user had one password lets in with it, beside the first login, until it is rotated.
    """
    workshop = users.workshop()
    workshop.store.secrets.add(
        PLATFORM, "shop/user-app", "of-before", at=workshop.clock.now()
    )
    workshop.store.secrets.add(
        PLATFORM, "shop/user-app2", "another", at=workshop.clock.now()
    )
    assert let_in(users)["app"] == "of-before"

    rotation.rotate_credentials(workshop, "shop")

    assert list(let_in(users)) == ["app.b"]
    assert workshop.store.secrets.current(PLATFORM, "shop/user-app2") is not None


def test_what_cannot_be_rolled_keeps_its_credentials(users):
    """
    The former stay good while somebody may still have them.
    """

    def failing(_step, _work):
        attempted = "rolling"
        raise DeadlinePassed(attempted, "no host has room")

    (rotated,) = rotation.rotate_credentials(
        users.workshop(), "shop", audience=Audience(performer=failing)
    )

    assert not rotated.result.ok
    assert list(let_in(users)) == ["app.b", "app.a"]
