"""
What people write: blueprints and platform files, and every way they can be wrong.
"""

from pathlib import Path

import pytest

from blueprints import catalogue, platform_file
from blueprints.compiling import compile_platform
from blueprints.problem import (
    BlueprintError,
    FileUnreadable,
)
from blueprints.source import DEPTH_MAX, SIZE_BYTES_MAX
from tests.decide.planned_world import CATALOGUE

WEB = Path(catalogue.__file__).parent / "web"


GOOD = """\
platform: demo
services:
  shop:
    blueprint: web
    parameters:
      count: 4
"""


def complaints(text, blueprints=CATALOGUE):
    """What reading and compiling a platform file says."""
    with pytest.raises(BlueprintError) as caught:
        compile_platform(platform_file.from_text(text, "p.yaml"), blueprints)
    return str(caught.value).splitlines()


def changed(old, new):
    """The good platform file with one thing changed."""
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            changed("blueprint: web", "blueprint: wbe"),
            "p.yaml:4: services.shop.blueprint: unknown blueprint 'wbe'; "
            "did you mean 'web'?",
            id="unknown blueprint",
        ),
        pytest.param(
            changed("platform: demo", "platform: fournines-bake"),
            "p.yaml:1: platform: 'fournines-bake' is whose the builders of images are, and they are swept; give another name",
            id="the builders' platform",
        ),
        pytest.param(
            changed("count: 4", "count: four"),
            "p.yaml:6: services.shop.parameters.count: 'four' is not of type 'integer' "
            "(Instances that serve.)",
            id="wrong type",
        ),
        pytest.param(
            changed("count: 4", "count: 0"),
            "p.yaml:6: services.shop.parameters.count: 0 is less than the minimum of 1 "
            "(Instances that serve.)",
            id="out of range",
        ),
        pytest.param(
            changed("count: 4", "cuont: 4"),
            "p.yaml:6: services.shop.parameters.cuont: unknown parameter; "
            "did you mean 'count'?",
            id="unknown parameter",
        ),
        pytest.param(
            changed("platform: demo", "platform: demo\nsevices: {}"),
            "p.yaml:2: sevices: unknown key; did you mean 'services'?",
            id="unknown key",
        ),
        pytest.param(
            changed("blueprint: web", "blueprint: web\n    depend_on: []"),
            "p.yaml:5: services.shop.depend_on: unknown key; "
            "did you mean 'depends_on'?",
            id="unknown key of a service",
        ),
        pytest.param(
            changed("platform: demo\n", ""),
            "p.yaml:1: lacks the key 'platform'",
            id="missing key",
        ),
        pytest.param(
            changed("platform: demo", "platform: Demo_1"),
            "p.yaml:1: platform: 'Demo_1' is no name: lower-case letters, digits and "
            "hyphens, at most 20, beginning with a letter",
            id="bad platform name",
        ),
        pytest.param(
            changed("  shop:", "  9shop:"),
            "p.yaml:3: services.9shop: '9shop' is no name: lower-case letters, digits "
            "and hyphens, at most 20, beginning with a letter",
            id="bad service name",
        ),
        pytest.param(
            GOOD + "  shop:\n    blueprint: web\n",
            "p.yaml:7: services.shop: stands here twice",
            id="duplicate service",
        ),
        pytest.param(
            changed("count: 4", "count: 4\n    healing: {min_healthy: 5}"),
            "p.yaml:7: services.shop.healing.min_healthy: 5 must stay healthy in group "
            "'web', which has only 4; lower it or raise the count",
            id="floor above count",
        ),
        pytest.param(
            changed("count: 4", "count: 4\n    healing: {min_helthy: 2}"),
            "p.yaml:7: services.shop.healing.min_helthy: unknown key; "
            "did you mean 'min_healthy'?",
            id="unknown healing limit",
        ),
        pytest.param(
            changed("blueprint: web", "blueprint: web\n    depends_on: [blog]"),
            "p.yaml:5: services.shop.depends_on: there is no service 'blog'; "
            "there is shop",
            id="unknown dependency",
        ),
        pytest.param(
            changed("blueprint: web", "blueprint: web\n    depends_on: [shop]"),
            "p.yaml:5: services.shop.depends_on: a circle: shop -> shop; take one out",
            id="depends on itself",
        ),
        pytest.param(
            changed("platform: demo", "platform: demo\nnetwork: {cidr: 10.0.0.1/24}"),
            "p.yaml:2: network.cidr: must be a network like 10.0.0.0/24 with no host "
            "bits (10.0.0.1/24 has host bits set), is '10.0.0.1/24'",
            id="host bits",
        ),
        pytest.param(
            changed("count: 4", "artefact: /no/such.tar.gz"),
            "p.yaml:6: services.shop.parameters.artefact: artefact '/no/such.tar.gz' "
            "was not fetched",
            id="artefact not fetched",
        ),
        pytest.param(
            changed(
                "count: 4",
                "count: 4\n    objectives:\n    - {name: fast, indicator: latency}",
            ),
            "p.yaml:8: services.shop.objectives[0]: the latency objective 'fast' needs "
            "threshold_seconds",
            id="latency without a threshold",
        ),
        pytest.param(
            changed("count: 4", "port: 9109"),
            "endpoints.http.port: port 9109 is already that of the metrics listener "
            "(compiling service 'shop')",
            id="port of the metrics listener",
        ),
        pytest.param(
            changed("count: 4", "allowed_cidrs: [everywhere]"),
            "endpoints.http.allowed_cidrs[0]: must be a network like 10.0.0.0/24",
            id="no network",
        ),
        pytest.param("- demo\n", "p.yaml: must be a mapping", id="a list"),
        pytest.param("", "p.yaml: must be a mapping", id="empty"),
        pytest.param(
            "platform: [demo\n", "p.yaml:2: not YAML: expected ',' or ']'", id="no YAML"
        ),
        pytest.param("a: \x00", "p.yaml: not YAML:", id="control character"),
        pytest.param("a: !!python/name:os.system\n", "not YAML:", id="a Python tag"),
        pytest.param("a: 2026-13-41\n", "not YAML:", id="an impossible date"),
        pytest.param("1: a\n", "p.yaml:1: the key '1' must be text", id="number key"),
        pytest.param("[a]: b\n", "the key a collection must be text", id="list key"),
        pytest.param("a: &a [*a]\n", "nests deeper", id="an endless alias"),
        pytest.param(
            "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
            ),
            "values with aliases expanded",
            id="an alias bomb",
        ),
        pytest.param(
            "a: " + "[" * (DEPTH_MAX + 2) + "]" * (DEPTH_MAX + 2),
            "nests deeper than",
            id="too deep",
        ),
        pytest.param("a: " + "[" * 5000, "too deep", id="far too deep"),
    ],
)
def test_bad_platform_file(text, said):
    """One line per problem names file, line, path and rule."""
    assert any(said in line for line in complaints(text)), complaints(text)


def test_all_problems_come_at_once():
    """A person mends everything in one go."""
    text = changed("count: 4", "count: four\n      colour: red\n  blog: {blueprint: b}")

    assert len(complaints(text)) == 3


def test_circle_is_told_once():
    """A circle of three is one problem, whoever is looked at first."""
    text = "platform: demo\nservices:\n" + "".join(
        f"  {a}: {{blueprint: web, depends_on: [{b}]}}\n" for a, b in ("ab", "bc", "ca")
    )

    assert complaints(text) == [
        "p.yaml:3: services.a.depends_on: a circle: a -> b -> c -> a; take one out"
    ]


def test_services_whose_names_would_meet_are_refused():
    """`a` with group `web` and `a-web`: a resource of one would be called as one of the other."""
    text = (
        "platform: demo\nservices:\n  a: {blueprint: web}\n  a-web: {blueprint: web}\n"
    )
    other = CATALOGUE["web"]
    body = {**other.source.data}
    body["groups"] = {"web-web": body["groups"]["web"]}
    body["endpoints"] = {}
    clashing = catalogue.Blueprint(
        name="twin",
        version="1.0.0",
        summary="s",
        parameters=other.parameters,
        source=type(other.source)("twin.yaml", body, {}),
        templates=other.templates,
        sample=other.sample,
    )
    text = text.replace("a: {blueprint: web}", "a: {blueprint: twin}")

    (said,) = complaints(text, {**CATALOGUE, "twin": clashing})
    assert "would be called demo-a-web-web" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        (b"a: \xff\n", "is not UTF-8 text"),
        (b"#" * (SIZE_BYTES_MAX + 1), "is larger than"),
    ],
)
def test_unreadable_file(tmp_path, content, said):
    """Missing, not UTF-8, too large: said in one sentence, never a traceback."""
    path = tmp_path / "platform.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileUnreadable, match=said):
        platform_file.load(path)


def test_folder_is_no_file(tmp_path):
    """A folder where a file should be is said to be one."""
    with pytest.raises(FileUnreadable, match="this is a folder"):
        platform_file.load(tmp_path)


def test_file_that_may_not_be_read(tmp_path):
    """What the system says is passed on."""
    path = tmp_path / "loop.yaml"
    path.symlink_to(path)
    with pytest.raises(FileUnreadable, match="cannot be read"):
        platform_file.load(path)
