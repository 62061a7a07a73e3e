"""
From a reference in user-data to a file that only its instance can read, and back out of the cloud's API.
"""

from __future__ import annotations

import base64
import json
import subprocess

import pytest
import yaml

from fournines import concealment
from fournines.model import sealing
from fournines.model.desired import Probe
from fournines.planning.steps import EnsureInstance, WithdrawKey
from fournines.trust.authority import names_of
from tasks import certificates, deployment, rehearsal
from tests.unwind.harness import PLATFORM, World, a_platform

USER_DATA = """#cloud-config
write_files:
  - path: /etc/app.conf
    permissions: "0640"
    content: |
      password=@{secret:shop/password}
      peer=@{address:demo-shop-web-1}
  - {path: /etc/ca.pem, content: "@{ca:demo}"}
  - {path: /etc/cert.pem, content: "@{certificate:@SLOT@}"}
  - {path: /etc/key.pem, content: "@{private-key:@SLOT@}"}
  - {path: /etc/plain, content: "vip=@{vip:demo-shop-lb} me=@{address:@SLOT@}"}
runcmd: [start]
"""


@pytest.fixture(autouse=True)
def _nothing_known():
    concealment.forget()
    yield
    concealment.forget()


def deployed(**asked):
    """
    A world in which a platform of sealed instances stands, and what its plan was.
    """
    world = World()
    desired = a_platform(ordinal=True, user_data=USER_DATA, **asked)
    result = deployment.deploy(world.workshop(), desired)
    assert result.ok
    return world, result.plan


class Keeper:
    """
    A cloud that remembers what it was asked for before keys were withdrawn.
    """

    def __init__(self, cloud) -> None:
        self._cloud = cloud
        self.asked = {}

    def __getattr__(self, name) -> object:
        return getattr(self._cloud, name)

    def ensure_instance(self, spec, *, deadline_seconds):
        """Remember and pass on."""
        self.asked[spec.name] = spec
        return self._cloud.ensure_instance(spec, deadline_seconds=deadline_seconds)


def opened(spec):
    """
    The sealed files of an instance by path, as it reads them itself.
    """
    document = yaml.safe_load(spec.user_data)
    words = [
        "openssl",
        "enc",
        "-d",
        "-aes-256-cbc",
        "-pbkdf2",
        "-md",
        "sha256",
        "-pass",
        "env:K",
    ]
    told = subprocess.run(
        words,
        input=base64.b64decode(document["bootcmd"][0][-1]),
        env={"K": spec.metadata[sealing.KEY]},
        capture_output=True,
        check=True,
    ).stdout
    return {
        file["path"]: (base64.b64decode(file["content"]).decode(), file)
        for file in json.loads(told)
    }


def test_an_instance_is_told_what_its_references_stand_for():
    """
    Addresses and certificates stand in the clear, whatever is confidential in the sealed bundle; the certificate names its slot's ways in.
    """
    world = World()
    desired = a_platform(ordinal=True, user_data=USER_DATA)
    workshop = world.workshop()
    keeper = Keeper(workshop.cloud)
    told = type(workshop)(
        **{
            field: getattr(workshop, field)
            for field in workshop.__dataclass_fields__
            if field != "cloud"
        },
        cloud=keeper,
    )
    assert deployment.deploy(told, desired).ok

    spec = keeper.asked["demo-shop-web-0-g1"]
    document = yaml.safe_load(spec.user_data)
    plain = {one["path"]: one["content"] for one in document["write_files"]}
    files = opened(spec)
    addresses = {name: one.address for name, one in world.cloud.world.ports.items()}
    vip = world.cloud.world.load_balancers["demo-shop-lb"].vip_address
    outside = world.cloud.world.floating_ips["demo-shop-ip"].address
    password = world.store.secrets.current(PLATFORM, "shop/password").text

    assert plain["/etc/plain"] == f"vip={vip} me={addresses['demo-shop-web-0']}"
    assert "BEGIN CERTIFICATE" in plain["/etc/ca.pem"]
    assert set(files) == {"/etc/app.conf", "/etc/key.pem"}
    assert files["/etc/app.conf"][0] == (
        f"password={password}\npeer={addresses['demo-shop-web-1']}\n"
    )
    assert files["/etc/app.conf"][1]["permissions"] == "0640"
    assert "BEGIN PRIVATE KEY" in files["/etc/key.pem"][0]
    assert password not in spec.user_data
    assert {"demo-shop-web-0", addresses["demo-shop-web-0"], vip, outside} <= names_of(
        plain["/etc/cert.pem"]
    )
    assert document["runcmd"][-1] == "start"


def test_the_key_is_withdrawn_once_the_instance_serves():
    """
    Each instance's key goes after its requests are served, and the next plan is empty.
    """
    world, plan = deployed()
    keys = [step for step in plan.steps if isinstance(step, WithdrawKey)]

    assert {step.instance for step in keys} == set(world.cloud.world.instances)
    assert all(step.needs == ("await-serving/demo-shop-web/new",) for step in keys)
    assert all(not one.spec.metadata for one in world.cloud.world.instances.values())
    again, _ = deployment.plan(
        world.workshop(), a_platform(ordinal=True, user_data=USER_DATA)
    )
    assert again.empty


def test_no_secret_leaves_the_store_but_into_the_instance():
    """
    Plan, journal and registry hold references only; whatever the store keeps is concealed in logs.
    """
    world, plan = deployed()
    store = world.store
    secret = store.secrets.current(PLATFORM, "shop/password").text
    authority = certificates.of_authority(world.workshop(), PLATFORM)
    journal = "".join(one.model_dump_json() for one in store.journal.entries(plan.id))
    registry = store.registry.platform(PLATFORM).model_dump_json()

    for canary in (secret, authority.private_key.splitlines()[1]):
        for text in (plan.model_dump_json(), journal, registry):
            assert canary not in text
        assert canary not in concealment.concealed(f"said {canary} aloud")
    makes = [step for step in plan.steps if isinstance(step, EnsureInstance)]
    assert all("@{secret:shop/password}" in step.spec.user_data for step in makes)


def test_an_instance_without_a_pool_says_itself_that_it_has_opened_its_files():
    """
    Nobody asks it for requests, so its console is the evidence.
    """
    desired = a_platform(count=1, user_data=USER_DATA, ordinal=True)
    service = desired.services[0]
    world = World()
    data = USER_DATA.replace("peer=@{address:demo-shop-web-1}", "")
    group = service.groups[0].model_copy(update={"memberships": (), "user_data": data})
    alone = desired.model_copy(
        update={"services": (service.model_copy(update={"groups": (group,)}),)}
    )

    result = deployment.deploy(world.workshop(), alone)

    assert result.ok
    assert [s.serves for s in result.plan.steps if isinstance(s, WithdrawKey)] == [
        False
    ]
    assert not world.cloud.world.instances["demo-shop-web-0-g1"].spec.metadata


def test_members_that_answer_in_their_role_alone_say_so_themselves():
    """
    A pool that asks for a role waits for none of them in particular: a key withdrawn then would be gone before a slow instance has read it.
    """
    group = a_platform(count=1, user_data=USER_DATA, ordinal=True).services[0].groups[0]
    by_role = tuple(
        one.model_copy(update={"role": "primary"}) for one in group.memberships
    )
    silent = group.model_copy(update={"memberships": by_role, "probe": None})
    probed = silent.model_copy(update={"probe": Probe(path="/state", port=8080)})

    assert group.is_asked
    assert probed.is_asked
    assert not silent.is_asked
    assert not probed.model_copy(update={"memberships": ()}).is_asked


def test_a_key_that_was_left_is_withdrawn_by_the_next_plan():
    """
    A process that died before the withdrawal leaves one step to whoever comes next.
    """
    world, _ = deployed()
    record = world.cloud.world.instances["demo-shop-web-1-g1"]
    record.spec = record.spec.model_copy(update={"metadata": {sealing.KEY: "left"}})

    result = deployment.deploy(
        world.workshop(), a_platform(ordinal=True, user_data=USER_DATA)
    )

    assert [step.id for step in result.plan.steps] == [
        "withdraw-key/demo-shop-web-1-g1"
    ]
    assert not world.cloud.world.instances["demo-shop-web-1-g1"].spec.metadata


def test_a_new_edition_of_certificates_rolls_the_service_once():
    """
    Asked for, every instance gets a new certificate of the same authority; then nothing is left to do.
    """
    world, _ = deployed()
    workshop = world.workshop()
    before = certificates.validities(workshop, PLATFORM)
    world.clock.advance(3_600)
    certificates.new_edition(workshop, PLATFORM, "shop")

    desired = a_platform(ordinal=True, user_data=USER_DATA)
    result = deployment.deploy(workshop, desired)

    after = certificates.validities(workshop, PLATFORM)
    assert result.ok
    assert {i.owner.generation for i in world.cloud.inventory(PLATFORM).instances} == {
        2
    }
    assert all(after[slot].ends_at > before[slot].ends_at for slot in before)
    assert deployment.plan(workshop, desired)[0].empty


def test_a_rehearsal_makes_no_secret():
    """
    Trying a plan on a copy leaves nothing behind, and reads none of the store's secrets.
    """
    world = World()
    desired = a_platform(ordinal=True, user_data=USER_DATA)
    workshop = world.workshop()
    plan, _ = deployment.plan(workshop, desired)
    seen = world.cloud.inventory(PLATFORM)

    found = rehearsal.rehearse(plan, seen, desired.services, settings=workshop.settings)

    assert found.failed == ""
    assert world.store.secrets.versions(PLATFORM) == {}
