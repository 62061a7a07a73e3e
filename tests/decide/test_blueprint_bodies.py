"""
What blueprints make of good parameters, and every way in which a blueprint itself can be wrong.
"""

import shutil

import pytest

from blueprints import catalogue, platform_file
from blueprints.compiling import compile_platform
from blueprints.problem import (
    BlueprintError,
    BlueprintInvalid,
    PlatformInvalid,
    YamlInvalid,
)
from tests.decide.planned_world import CATALOGUE, EXAMPLE
from tests.decide.test_blueprint_files import GOOD, WEB, changed, complaints


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
        (
            'version: "1.0.0"',
            "version: 1.0",
            "version: must be text, in quotes where it looks like something else, is 1.0",
        ),
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
        ("{{ count }}", "many", "groups.web.count: must be a whole number, is "),
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
