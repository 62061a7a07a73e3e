"""
What people write: blueprints and platform files, and every way they can be wrong.
"""

import shutil
from pathlib import Path

import pytest

from blueprints import catalogue, platform_file
from blueprints.compiling import compile_platform
from blueprints.problem import (
    BlueprintError,
    BlueprintInvalid,
    FileUnreadable,
    PlatformInvalid,
    YamlInvalid,
)
from blueprints.source import DEPTH_MAX, SIZE_BYTES_MAX
from tests.decide.planned_world import CATALOGUE, EXAMPLE

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


def blueprint_with(tmp_path, old, new):
    """The web blueprint with one thing changed."""
    folder = tmp_path / "web"
    shutil.copytree(WEB, folder)
    file = folder / "blueprint.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return folder


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('version: "1.0.0"', "version: 1.0", "version: input should be a valid string"),
        ('version: "1.0.0"', 'version: "1"', "version: '1' is no name"),
        ("endpoints:", "endpiont:", "unknown key; did you mean 'endpoints'?"),
        ("type: integer", "type: intger", "parameters.properties.count.type: no JSON"),
        ("default: 2\n", "default: two\n", "count.default: 'two' is not of type"),
        ("  additionalProperties: false\n", "", "must say `type: object`"),
        ("blueprint: web\n", "", "lacks the key 'blueprint'"),
    ],
)
def test_bad_blueprint_head(tmp_path, old, new, said):
    """What a blueprint says about itself is checked when it is loaded."""
    with pytest.raises(BlueprintInvalid) as caught:
        catalogue.load(blueprint_with(tmp_path, old, new))
    if "is no name" not in said:
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{ count }}", "{{ cuont }}", "'cuont' is undefined"),
        ("{{ count }}", "{{ count + }}", "in {{ count + }}:"),
        ("{{ count }}", "{{ count / 0 }}", "cannot be evaluated: division by zero"),
        (
            "{{ count }}",
            "{{ count.__class__ }}",
            "access to attribute '__class__'",
        ),
        ("{{ count }}", "a {{ none_such }} b", "'none_such' is undefined"),
        ("{{ count }}", "a {{ count", "line 1 of the template"),
        ("{{ count }}", "a {{ 1 / 0 }}", "cannot be rendered: division by zero"),
        ("{{ count }}", "many", "groups.web.count: input should be a valid integer"),
        ("group: web", "group: wbe", "no group 'wbe'; did you mean 'web'?"),
        ("user-data.j2", "userdata.j2", "there is no template 'userdata.j2'"),
        ("  http:\n", "  lb:\n", "must not be called 'lb'"),
        ('    surge: "{{', '    sugre: "{{', "unknown key; did you mean 'surge'?"),
        (
            '\npublic: "',
            '\ndepends_on: [mars]\npublic: "',
            "services.shop.depends_on: there is no service 'mars'",
        ),
        (
            '\npublic: "',
            '  alt: {group: web, port: 82, member_port: 1}\n\npublic: "',
            "a group has one pool",
        ),
    ],
)
def test_bad_blueprint_body(tmp_path, old, new, said):
    """What stands in its expressions is checked when a service is compiled."""
    blueprint = catalogue.load(blueprint_with(tmp_path, old, new))
    lines = complaints(GOOD, {"web": blueprint})

    assert any(said in line for line in lines), lines


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("#!/bin/sh\n", "must begin with #cloud-config"),
        ("#cloud-config\na: [\n", "renders to no YAML"),
        ("#cloud-config\n- a\n", "renders to no mapping"),
        ("#cloud-config\n{{ nothing }}\n", "'nothing' is undefined"),
        ("#cloud-config\na: {{ 'x' * 60000 }}\n", "Nova allows 65535"),
        ("#cloud-config\n{% if %}\n", "line 2 of the template"),
    ],
)
def test_bad_user_data(tmp_path, template, said):
    """User-data that cloud-init or Nova would refuse is refused here."""
    folder = blueprint_with(tmp_path, "web", "web")
    (folder / "user-data.j2").write_text(template)

    assert any(
        said in line for line in complaints(GOOD, {"web": catalogue.load(folder)})
    )


def test_host_names_have_an_end(tmp_path):
    """Names that together exceed 63 characters are refused."""
    folder = blueprint_with(tmp_path, "  web:\n", "  a-very-long-group-oh:\n")
    file = folder / "blueprint.yaml"
    file.write_text(
        file.read_text().replace("group: web", "group: a-very-long-group-oh")
    )
    text = GOOD.replace("demo", "p" * 20).replace("shop", "s" * 20)

    (said,) = complaints(text, {"web": catalogue.load(folder)})
    assert "a host name has at most 63: shorten a name" in said


def test_required_parameter_is_missed(tmp_path):
    """What has no default must be given."""
    folder = blueprint_with(
        tmp_path, "  properties:", "  required: [count, motto]\n  properties:"
    )
    (said,) = complaints(GOOD, {"web": catalogue.load(folder)})

    assert said == "p.yaml:5: services.shop.parameters.motto: is required and not given"


def test_false_conditions_leave_things_out(tmp_path):
    """`when` drops an item of a list or of a mapping."""
    folder = blueprint_with(
        tmp_path,
        '      - port: "{{ app_port }}"\n',
        '      - port: "{{ app_port }}"\n'
        '      - {port: 22, when: "{{ count > 100 }}"}\n'
        '      - {port: 23, when: "{{ count < 100 }}"}\n',
    )
    platform = compile_platform(
        platform_file.from_text(GOOD), {"web": catalogue.load(folder)}
    )
    rules = platform.service("shop").group("web").security_group.rules

    assert [rule.port_min for rule in rules] == [8080, 23]


def test_example_compiles():
    """The example is what its comments say."""
    platform = compile_platform(platform_file.load(EXAMPLE), CATALOGUE)
    shop = platform.service("shop")
    group = shop.group("web")

    assert (group.count, group.healing.min_healthy, group.zones) == (
        4,
        2,
        ("az1", "az2", "az3"),
    )
    assert shop.objectives[0].budget_seconds == pytest.approx(259.2)
    assert {x.protocol for x in shop.load_balancers[0].listeners} == {
        "HTTP",
        "PROMETHEUS",
    }
    assert shop.outputs == {"url": "http://@FLOATING_IP@/"}
    assert platform.network.cidr is None


def test_service_without_a_public_address():
    """`public: false` has no floating IP."""
    text = changed("count: 4", "public: false")

    assert (
        not compile_platform(platform_file.from_text(text), CATALOGUE)
        .services[0]
        .floating_ips
    )


def test_objectives_of_the_platform_file_win():
    """A service may promise something else than its blueprint."""
    text = changed("count: 4", "count: 4\n    objectives: [{name: a, target: 0.99}]")
    (service,) = compile_platform(platform_file.from_text(text), CATALOGUE).services

    assert [o.target for o in service.objectives] == [0.99]


def test_scaling_changes_one_parameter():
    """The file stays as it is; the platform has another count."""
    file = platform_file.from_text(GOOD)
    scaled = file.with_parameters("shop", {"count": 6})

    assert compile_platform(scaled, CATALOGUE).services[0].groups[0].count == 6
    assert compile_platform(file, CATALOGUE).services[0].groups[0].count == 4
    with pytest.raises(PlatformInvalid, match="has no service 'shpo'"):
        file.with_parameters("shpo", {"count": 6})


def test_user_data_is_the_same_for_every_slot():
    """Only the placeholder differs, so that one changed slot outdates nobody else."""
    platform = compile_platform(platform_file.from_text(GOOD), CATALOGUE)
    service = platform.services[0]
    specs = [service.instance(service.groups[0], n, 1, None) for n in range(2)]

    assert specs[0].owner.digest == specs[1].owner.digest
    assert "SLOT=demo-shop-web-1 " in specs[1].user_data
    assert "@SLOT@" not in specs[1].user_data


def test_merge_keys_are_yaml_too():
    """An anchor may be merged into a mapping."""
    text = """\
platform: demo
services:
  shop: &shop
    blueprint: web
    parameters: {count: 3}
  blog:
    <<: *shop
"""
    platform = compile_platform(platform_file.from_text(text), CATALOGUE)

    assert [s.groups[0].count for s in platform.services] == [3, 3]


def test_no_anti_affinity_needs_no_server_group():
    """`none` leaves the hosts to the cloud."""
    text = changed("count: 4", "anti_affinity: none")
    (service,) = compile_platform(platform_file.from_text(text), CATALOGUE).services

    assert service.groups[0].server_group is None


def test_catalogue_names_its_blueprints():
    """Every blueprint says what it is for, and each parameter is described."""
    for blueprint in CATALOGUE.values():
        assert blueprint.summary
        for name, schema in blueprint.parameters["properties"].items():
            assert schema.get("description"), name


def test_source_of_a_missing_path_has_the_nearest_line():
    """A problem with what is not in the file points at what is nearest."""
    file = platform_file.from_text(GOOD, "p.yaml")

    assert file.source.problem(["services", "shop", "x", 0], "m").line == 3


def test_yaml_errors_are_one_family():
    """Whoever reads files catches one error."""
    assert issubclass(YamlInvalid, BlueprintError)
    assert str(BlueprintError([])) == ""
