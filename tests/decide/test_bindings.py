"""
Service binding: what a service is told of those it uses, and what is wrong with a binding.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from blueprints import catalogue
from blueprints.compiling import compile_platform
from blueprints.diff import plan_platform
from blueprints.platform_file import from_text
from blueprints.problem import PlatformInvalid
from tests.decide.planned_world import CATALOGUE, World

WEB = Path(catalogue.__file__).parent / "web"
OFFERS = """
offers:
  host: "{{ vip() }}"
  port: "{{ port }}"
  user: app
  password: "{{ secret('app') }}"
  url: "postgresql://app:{{ secret('app') }}@{{ vip() }}:{{ port }}/{{ service }}"
  ca: "{{ ca_certificate }}"
"""
PLATFORM = """\
platform: demo
services:
  shop:
    blueprint: web
    uses: {db: store}
  store:
    blueprint: offering
    parameters: {port: 5432, count: 1}
"""


@pytest.fixture
def known(tmp_path):
    """
    The catalogue, with a blueprint that offers something.
    """
    folder = tmp_path / "offering"
    shutil.copytree(WEB, folder)
    file = folder / "blueprint.yaml"
    text = file.read_text().replace("blueprint: web", "blueprint: offering", 1)
    file.write_text(text + OFFERS)
    return {**CATALOGUE, "offering": catalogue.load(folder)}


def problems(text, known):
    """
    What is said of a platform file.
    """
    with pytest.raises(PlatformInvalid) as caught:
        compile_platform(from_text(text), known)
    return str(caught.value)


def test_a_service_is_told_of_what_it_uses(known):
    """
    The environment names host, port, user, password, URL and authority; secrets are references, in a file that is sealed.
    """
    shop = compile_platform(from_text(PLATFORM), known).service("shop")
    document = yaml.safe_load(shop.groups[0].user_data)
    files = {one["path"]: one for one in document["write_files"]}
    told = files["/etc/app/bindings.env"]

    assert told["content"].splitlines() == [
        'DB_HOST="@{vip:demo-store-lb}"',
        'DB_PORT="5432"',
        'DB_USER="app"',
        'DB_PASSWORD="@{secret:store/app}"',
        'DB_URL="postgresql://app:@{secret:store/app}@@{vip:demo-store-lb}:5432/store"',
        "DB_CA=/etc/app/db-ca.pem",
    ]
    assert told["permissions"] == "0600"
    assert files["/etc/app/db-ca.pem"]["content"] == "@{ca:demo}"
    unit = files["/etc/systemd/system/app.service"]["content"]
    assert "EnvironmentFile=/etc/app/bindings.env" in unit
    assert shop.uses == {"db": "store"}


def test_a_service_that_uses_nothing_is_as_before(known):
    """
    No file, no line in its unit: nobody is rolled because bindings exist.
    """
    alone = PLATFORM.replace("    uses: {db: store}\n", "")
    shop = compile_platform(from_text(alone), known).service("shop")

    assert "bindings" not in shop.groups[0].user_data


def test_what_is_used_serves_first(known):
    """
    Deploy order follows: the user's instances wait until the other service serves, its way in included.
    """
    desired = compile_platform(from_text(PLATFORM), known)
    plan = plan_platform(desired, World().inventory())
    makes = {step.id: step for step in plan.steps}
    needs = makes["ensure-instance/demo-shop-web-0-g1"].needs

    assert desired.service("shop").depends_on == ("store",)
    assert "await-serving/demo-store-web/new" in needs
    assert "ensure-load-balancer/demo-store-lb" in needs


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            "{db: store}",
            "{db: stroe}",
            "services.shop.uses.db: there is no service 'stroe'; did you mean 'store'?",
            id="unknown-service",
        ),
        pytest.param(
            "blueprint: offering",
            "blueprint: web",
            "of blueprint 'web', which offers nothing that could be used",
            id="offers-nothing",
        ),
        pytest.param(
            "{port: 5432, count: 1}",
            "{port: 5432, count: 1}\n    depends_on: [shop]",
            "a circle: shop -> store -> shop; take one out",
            id="circle",
        ),
        pytest.param("{db: store}", "{DB: store}", "services.shop.uses", id="no-name"),
    ],
)
def test_bad_bindings_are_one_sentence(known, old, new, said):
    """
    Each names where it stands and what to do.
    """
    assert said in problems(PLATFORM.replace(old, new), known)
