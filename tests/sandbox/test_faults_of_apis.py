"""
Faults of OpenStack's APIs and of the servers below them: what callers get, and what was done all the same.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from keystoneauth1.exceptions import ClientException

pytestmark = pytest.mark.sandbox

Breaking = Callable[..., dict[str, Any]]

HOLD_SECONDS = 1.0


class Neutron:
    """
    Neutron's API without a client's kindness: one request, one answer.
    """

    def __init__(self, connection: Any) -> None:
        self._session = connection.session
        self._url = connection.session.get_endpoint(
            service_type="network", interface="public"
        )

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """One request, whatever the answer."""
        return self._session.request(
            f"{self._url}/v2.0/{path}",
            method,
            raise_exc=False,
            connect_retries=0,
            status_code_retries=0,
            headers={"Accept": "application/json"},
            **more,
        )

    def create(self, name: str) -> Any:
        """Ask for a security group."""
        wanted = {"security_group": {"name": name}}
        return self.ask("POST", "security-groups", json=wanted)

    def named(self, name: str) -> Any:
        """Ask for the security groups of a name."""
        return self.ask("GET", f"security-groups?name={name}")


@pytest.fixture
def neutron(cloud: Any, member: Any) -> Any:
    """
    Neutron, with a token that is there before anything breaks.
    """
    member.session.get_token()
    return Neutron(member)


@pytest.fixture
def name(cloud: Any, neutron: Neutron) -> Any:
    """
    A name for security groups that go afterwards.
    """
    chosen = f"faults-{uuid.uuid4().hex[:8]}"
    yield chosen
    cloud.run("mend", "api")
    for item in neutron.named(chosen).json()["security_groups"]:
        neutron.ask("DELETE", f"security-groups/{item['id']}")


def always(breaking: Breaking, kind: str, *more: str) -> None:
    """Every call of Neutron's users fails in one way."""
    words = ("--rate", "1", "--kinds", kind, "--services", "neutron")
    breaking("api", *words, "--hold", str(HOLD_SECONDS), *more)


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(("error-before", 500, 0), id="500-and-nothing-done"),
        pytest.param(("error-after", 500, 1), id="500-though-done"),
        pytest.param(("timeout-after", 504, 1), id="504-though-done"),
        pytest.param(("conflict", 409, 0), id="409-and-nothing-done"),
        pytest.param(("busy", 429, 0), id="429-and-nothing-done"),
    ],
)
def test_failing_changes(
    cloud: Any,
    breaking: Breaking,
    neutron: Neutron,
    name: str,
    expected: tuple[str, int, int],
) -> None:
    """
    A change fails as asked, and was done or not; mended, the truth shows, and the faults were counted.
    """
    kind, status, done = expected
    always(breaking, kind)
    answer = neutron.create(name)

    told = json.loads(cloud.run("mend", "api", "--json").stdout)

    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (kind == "busy")
    assert len(neutron.named(name).json()["security_groups"]) == done
    assert set(told["neutron"]) == {kind}


def test_stale_reads(
    cloud: Any, breaking: Breaking, neutron: Neutron, name: str
) -> None:
    """
    A stale answer is one that was true: a change does not show until the memory is too old, or mended.
    """
    always(breaking, "stale", "--stale", "300")
    assert neutron.named(name).json()["security_groups"] == []
    assert neutron.create(name).status_code == 201
    assert neutron.named(name).json()["security_groups"] == []

    cloud.run("mend", "api")

    assert len(neutron.named(name).json()["security_groups"]) == 1


def test_the_same_seed_has_the_same_luck(breaking: Breaking, neutron: Neutron) -> None:
    """
    A share of the calls fails, which ones the seed decides.
    """

    def luck(seed: str) -> list[int]:
        words = ("--kinds", "error-before", "--services", "neutron", "--seed", seed)
        breaking("api", "--rate", "0.4", *words)
        return [neutron.named("nobody").status_code for _ in range(30)]

    first, again, other = luck("7"), luck("7"), luck("8")

    assert first == again != other
    assert 3 <= first.count(500) <= 24


def test_services_among_themselves_are_spared(
    breaking: Breaking, member: Any, neutron: Neutron, name: str
) -> None:
    """
    With every user's call to Neutron failing, Octavia still gets its port from Neutron.
    """
    subnet = next(iter(member.network.subnets(name="public")))
    always(breaking, "error-before")
    assert neutron.named(name).status_code == 500

    made = member.load_balancer.create_load_balancer(name=name, vip_subnet_id=subnet.id)

    assert made.vip_address
    member.load_balancer.wait_for_load_balancer(made.id, interval=0.3, wait=60)
    member.load_balancer.delete_load_balancer(made.id, cascade=True)


def test_keystone_down(
    cloud: Any, breaking: Breaking, eventually: Callable[..., bool]
) -> None:
    """
    Without Keystone nobody new gets in; with it again, at once.
    """
    breaking("blind", "keystone")
    breaking("blind", "keystone")
    with pytest.raises(ClientException):
        cloud.connect("fournines").session.get_token()

    cloud.run("mend", "keystone")

    assert eventually(lambda: signs_in(cloud), 60)


def test_database_down(
    cloud: Any, breaking: Breaking, neutron: Neutron, eventually: Callable[..., bool]
) -> None:
    """
    Without the database an API stalls or fails; with it again, it serves.
    """
    breaking("blind", "mariadb")
    assert not serves(neutron)

    cloud.run("mend", "mariadb")

    assert eventually(lambda: serves(neutron), 60)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("break", "api", "--kinds", "earthquake"), "unknown: earthquake"),
        (("break", "api", "--rate", "2"), "2.0 is not in the range"),
        (("break", "zone-down", "az9"), "there is no host or zone az9"),
        (("break", "lb", "nobody"), "no load balancer is called nobody"),
        (("break", "bad-image", "nobody"), "no image is called nobody"),
        (("break", "slow-boot", "--for", "soon"), "soon is no length of time"),
        (("mend", "nobody"), "no instance is called nobody"),
    ],
)
def test_one_sentence_for_every_mistake(
    cloud: Any, words: tuple[str, ...], sentence: str
) -> None:
    """
    What a person typed wrong is told in one line, and nothing is broken by it.
    """
    done = cloud.run(*words, check=False)

    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_mending_what_is_whole(cloud: Any) -> None:
    """
    Mending twice, or what never broke, is no mistake.
    """
    for target in ("all", "api", "slow-boot", "keystone", "az1", "az2-host1"):
        assert cloud.run("mend", target).stdout.strip()


def serves(neutron: Neutron) -> bool:
    """Whether a simple question is answered within the patience of a person."""
    try:
        return bool(neutron.ask("GET", "networks?limit=1", timeout=5).ok)
    except ClientException:
        return False


def signs_in(cloud: Any) -> bool:
    """Whether a newcomer gets a token."""
    try:
        return bool(cloud.connect("fournines").session.get_token())
    except ClientException:
        return False
